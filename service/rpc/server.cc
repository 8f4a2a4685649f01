#include "rpc/server.h"

#include <grpc/grpc.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/call_once.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/limits.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/resource_quota.h"
#include "rpc/auth_service.h"
#include "rpc/health.h"
#include "rpc/unix_socket.h"

namespace credcache {
namespace {

int Milliseconds(absl::Duration duration) { return static_cast<int>(absl::ToInt64Milliseconds(duration)); }

void SetLimits(const ListenConfig& config, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessageSize);
  builder.SetMaxSendMessageSize(kMaxMessageSize);
  grpc::ResourceQuota quota("credcache");
  quota.Resize(kMaxGrpcMemory);
  builder.SetResourceQuota(quota);
  // What is under way is bounded for all connections together (in_flight.h); one connection may have all of it, and
  // some more: a call must get here to be told that it is one too many, and a health check must always get here.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, config.max_in_flight + kSpareStreams);
  // Two servers on one port would share it in silence.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Connections end now and then, so that clients come to see new replicas. Streams end by themselves at that age
  // (StreamLimits::max_age) and may have begun late in the connection's life.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, Milliseconds(config.max_connection_age));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                             Milliseconds(config.max_connection_age + kConnectionGrace));
  // A peer that is gone is noticed, and clients may look whether we are, with calls under way or without.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(kKeepaliveTime));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(kKeepaliveTimeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, Milliseconds(kMinPingInterval));
  // Only the reflection service is of the kind that needs these.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
}

// gRPC reads a unix address as a URI.
std::string UnixUri(const std::string& path) {
  std::string uri = "unix:";
  for (const char c : path) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || std::strchr("/-._~", c) != nullptr) {
      uri.push_back(c);
    } else {
      absl::StrAppendFormat(&uri, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return uri;
}

// Why listening there failed, which gRPC does not tell: what happens when we try it ourselves.
absl::Status WhyNot(const ListenAddress& address) {
  const auto failed = [&address](absl::string_view why) {
    return absl::FailedPreconditionError(absl::StrCat("cannot listen on ", address.ToString(), ": ", why));
  };
  const addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) return failed(gai_strerror(error));
  std::string why = "gRPC could not";
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    const int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, info->ai_protocol);
    if (fd < 0 || bind(fd, info->ai_addr, info->ai_addrlen) != 0) why = std::strerror(errno);
    if (fd >= 0) close(fd);
  }
  freeaddrinfo(found);
  return failed(why);
}

}  // namespace

// A gRPC server for each way in, since a call does not tell which unix socket it came by, and the socket may say who
// calls. They share gRPC's threads.
class Server::Endpoint {
 public:
  Endpoint(const RpcParts& parts, Listener listener) : service_(NewAuthService(parts, std::move(listener))) {}
  ~Endpoint() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  }

  // The port; 0 if it failed.
  int Start(const ListenConfig& config, const std::string& uri,
            const std::shared_ptr<grpc::ServerCredentials>& credentials) {
    grpc::ServerBuilder builder;
    SetLimits(config, builder);
    int port = 0;
    builder.AddListeningPort(uri, credentials, &port);
    builder.RegisterService(service_.get());
    builder.RegisterService(health_->service());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return 0;
    return port;
  }
  void KeepFile(std::unique_ptr<UnixSocketFile> file) { file_ = std::move(file); }

  void StopServing() { health_->BeginDrain(); }
  void Shutdown(absl::Time deadline) { server_->Shutdown(absl::ToChronoTime(deadline)); }

 private:
  std::unique_ptr<UnixSocketFile> file_;  // goes last
  const std::unique_ptr<grpc::Service> service_;
  const std::unique_ptr<HealthService> health_ = NewHealthService();
  std::unique_ptr<grpc::Server> server_;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ListenConfig& config, ServerTls* tls,
                                                      const RpcParts& parts) {
  static absl::once_flag once;
  absl::call_once(once, grpc::reflection::InitProtoReflectionServerBuilderPlugin);

  std::unique_ptr<Server> server(new Server(parts));
  server->address_ = config.grpc;
  auto tcp = std::make_unique<Endpoint>(
      parts, Listener{.transport = tls == nullptr ? Transport::kClearText : Transport::kTls});
  const int port = tcp->Start(config, config.grpc.ToString(),
                              tls == nullptr ? grpc::InsecureServerCredentials() : tls->NewCredentials());
  if (port <= 0) return WhyNot(config.grpc);
  server->address_.port = static_cast<uint16_t>(port);
  server->endpoints_.push_back(std::move(tcp));

  for (const UnixSocketConfig& socket : config.unix_sockets) {
    absl::StatusOr<std::unique_ptr<UnixSocketFile>> file = UnixSocketFile::Prepare(socket);
    if (!file.ok()) return file.status();
    auto endpoint = std::make_unique<Endpoint>(
        parts, Listener{.transport = Transport::kUnixSocket, .socket_caller = socket.caller});
    if (endpoint->Start(config, UnixUri((*file)->private_path()), grpc::InsecureServerCredentials()) <= 0) {
      return absl::FailedPreconditionError(absl::StrCat("cannot listen on ", socket.path));
    }
    if (absl::Status status = (*file)->Publish(); !status.ok()) return status;
    endpoint->KeepFile(*std::move(file));
    server->endpoints_.push_back(std::move(endpoint));
  }
  return server;
}

Server::Server(const RpcParts& parts) : parts_(parts) {}

Server::~Server() = default;

void Server::Drain(absl::Duration grace) {
  const absl::Time deadline = absl::Now() + grace;
  for (const auto& endpoint : endpoints_) endpoint->StopServing();
  parts_.streams.BeginDrain();
  std::vector<std::thread> threads;
  threads.reserve(endpoints_.size());
  for (const auto& endpoint : endpoints_) {
    threads.emplace_back([&endpoint, deadline] { endpoint->Shutdown(deadline); });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace credcache
