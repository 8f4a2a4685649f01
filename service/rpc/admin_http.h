// The admin port: an HTTP server of a few threads, apart from gRPC, so that probes and scrapes are answered while the
// service is busy, starting or draining. Plain HTTP without authentication: it is for the loopback address or a network
// that only the platform reaches, and tells nothing of users.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/reporter.h"
#include "rpc/admin_pages.h"

namespace credcache {

struct AdminHttpOptions {
  // host:port; port 0 takes a free one. The host is an IPv4 address or a name that has one (civetweb is built without
  // IPv6 in Debian).
  std::string address = "127.0.0.1:9090";
  // A connection that says nothing holds a thread until its request's time is up: enough of them that one slow scraper
  // does not fail a probe.
  int threads = 8;
  absl::Duration request_timeout = absl::Seconds(5);
};

// Thread-safe. What `sources` and `reporter` refer to must outlive it.
class AdminHttp {
 public:
  // Listens and answers from when it returns. INVALID_ARGUMENT: not an address. UNAVAILABLE: it cannot be listened on,
  // and why. Later trouble goes to `reporter`, kind "admin_http".
  static absl::StatusOr<std::unique_ptr<AdminHttp>> Start(const AdminHttpOptions& options, AdminSources sources,
                                                          Reporter& reporter);
  // Finishes the requests under way.
  ~AdminHttp();
  AdminHttp(const AdminHttp&) = delete;
  AdminHttp& operator=(const AdminHttp&) = delete;

  // host:port, with the real port.
  const std::string& address() const;
  int port() const;

 private:
  class Server;
  explicit AdminHttp(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace credcache
