// The gRPC server: listens on TCP and on unix sockets, with health (grpc.health.v1), reflection, keepalive and limits,
// and drains gracefully.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "config/config.h"
#include "rpc/parts.h"
#include "rpc/tls.h"

namespace credcache {

// Not thread-safe, but calls come on gRPC's threads from Start on.
class Server {
 public:
  // Listens and serves. `tls` (null: clear text) is for the TCP address; unix sockets go without. It and `parts`
  // outlive the server. Errors name the address and say why: in use, no permission, no such host; see also
  // UnixSocketFile.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ListenConfig& config, ServerTls* tls,
                                                       const RpcParts& parts);
  // Cancels the calls under way; Drain comes before that.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The TCP address, with the port that the kernel chose if it was to.
  const ListenAddress& address() const { return address_; }

  // Health answers NOT_SERVING; no new calls; streams stop reading and end with OK once they have answered. Returns
  // when all calls have ended; those that have not after `grace` are cancelled. Once.
  void Drain(absl::Duration grace);

 private:
  class Endpoint;

  explicit Server(const RpcParts& parts);

  const RpcParts& parts_;
  ListenAddress address_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
};

}  // namespace credcache
