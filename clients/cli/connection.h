// The way to a server: address, TLS, token, deadline, and what to say when it fails.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/credentials.h"

namespace credcache::cli {

struct ConnectionOptions {
  std::string address = "127.0.0.1:50051";
  TlsFiles tls;
  std::string token_file;  // empty: none
  absl::Duration timeout = absl::Seconds(10);
};

// gRPC's name for `address`: HOST, HOST:PORT, [IPV6]:PORT, unix:PATH, or a target with a scheme. Without a port 50051,
// not gRPC's 443. INVALID_ARGUMENT says what was expected.
absl::StatusOr<std::string> ParseAddress(absl::string_view address);

// One channel to one server. Thread-safe once opened.
class Connection {
 public:
  // Checks everything that can be checked without the network; INVALID_ARGUMENT for what the user must correct, such as
  // a token that would travel in the clear.
  static absl::StatusOr<Connection> Open(const ConnectionOptions& options);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // Connects, then runs `call` with a context that is ready for it. A server that is not there fails at once, and all
  // together takes no longer than the timeout.
  grpc::Status Call(const std::function<grpc::Status(grpc::ClientContext&)>& call) const;

  // For calls made otherwise: a deadline from now and the token. The context must be new.
  void Prepare(grpc::ClientContext& context) const { Prepare(context, absl::Now() + timeout_); }

  // `status` with a message that says in words what went wrong on the way, where that is known.
  grpc::Status Explain(const grpc::Status& status) const;

 private:
  Connection(std::string address, const ConnectionOptions& options, std::shared_ptr<grpc::Channel> channel,
             std::string token)
      : address_(std::move(address)),
        tls_(options.tls),
        timeout_(options.timeout),
        channel_(std::move(channel)),
        token_(std::move(token)) {}

  void Prepare(grpc::ClientContext& context, absl::Time deadline) const;
  // False when the deadline passes before it is known whether the server is there.
  bool AwaitAnswer(absl::Time deadline) const;

  std::string address_;  // with its port
  TlsFiles tls_;
  absl::Duration timeout_;
  std::shared_ptr<grpc::Channel> channel_;
  std::string token_;
};

}  // namespace credcache::cli
