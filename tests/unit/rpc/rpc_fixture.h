// The parts of the server with a HeldValidator below, and a server over them on a free port.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/audit_log.h"
#include "audit/captured_output.h"
#include "backends/recording_reporter.h"
#include "base/random.h"
#include "cache/cache.h"
#include "credcache/v1/auth_service.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "grpcpp/grpcpp.h"
#include "journal/memory_journal.h"
#include "rpc/held_validator.h"
#include "rpc/server.h"
#include "rpc/temporary_folder.h"

namespace credcache {

// What a client is told of an error.
struct ErrorParts {
  std::string reason;
  std::string domain;
  std::string field;
  std::optional<absl::Duration> retry_after;
};

inline ErrorParts PartsOf(const google::rpc::Status& status) {
  ErrorParts parts;
  for (const auto& detail : status.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) {
      parts.reason = info.reason();
      parts.domain = info.domain();
    } else if (detail.UnpackTo(&bad_request)) {
      parts.field = bad_request.field_violations(0).field();
    } else if (detail.UnpackTo(&retry)) {
      parts.retry_after = absl::Seconds(retry.retry_delay().seconds()) + absl::Nanoseconds(retry.retry_delay().nanos());
    }
  }
  return parts;
}

inline ErrorParts PartsOf(const grpc::Status& status) {
  google::rpc::Status proto;
  proto.ParseFromString(status.error_details());
  return PartsOf(proto);
}

inline v1::AuthenticateRequest LogOnOf(const std::string& username, const std::string& password) {
  v1::AuthenticateRequest request;
  request.mutable_password()->set_username(username);
  request.mutable_password()->set_password(password);
  request.mutable_context()->set_protocol("imap");
  return request;
}

class RpcFixture {
 public:
  RpcFixture() {
    listen.grpc = {.host = "127.0.0.1", .port = 0};
    std::vector<Realm> all;
    for (const char* name : {"corp.example", "other.example"}) {
      all.push_back({.name = name, .id = static_cast<RealmId>(all.size()), .validator = validator});
    }
    all[0].aliases = {"CORP"};
    realms.Set(std::make_shared<Realms>(std::move(all), 0));
  }
  ~RpcFixture() {
    validator->Release();
    server.reset();
    // What calls left behind ends before what it uses does.
    validator->Release();
  }

  void SetCallers(const std::optional<std::vector<CallerConfig>>& config) {
    const auto loaded = Callers::Load(config);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    callers.Set(*loaded);
  }
  void Start() {
    auto started = Server::Start(listen, tls.get(), parts);
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    stub = Connect(server->address().ToString(), grpc::InsecureChannelCredentials());
  }

  std::unique_ptr<v1::AuthService::Stub> Connect(const std::string& address,
                                                 const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    // Pings of gRPC's own accord: one that meets the connection which a drained server has just closed makes its client
    // say UNAVAILABLE, though the stream's OK has arrived and waits to be read.
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetMaxSendMessageSize(-1);
    channel = grpc::CreateCustomChannel(address, credentials, arguments);
    return v1::AuthService::NewStub(channel);
  }

  grpc::Status Authenticate(const v1::AuthenticateRequest& request, v1::AuthenticateResponse* response = nullptr) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::AuthenticateResponse unused;
    return stub->Authenticate(&context, request, response == nullptr ? &unused : response);
  }
  // A test that hangs fails.
  static void SetDeadline(grpc::ClientContext& context, absl::Duration timeout = absl::Seconds(20)) {
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  }

  SystemClock clock;
  SystemRandomness randomness;
  RecordingReporter reporter;
  CapturedOutput audit_lines;
  std::shared_ptr<HeldValidator> validator = std::make_shared<HeldValidator>();
  Metrics metrics{BuildInfo{}};
  std::optional<AuditLog> audit{std::in_place, AuditOptions{}, clock, audit_lines.output()};
  Cache cache{CacheOptions{.buckets = 4}, clock, randomness};
  RealmIds realm_ids;
  CurrentRealms realms{nullptr};
  CurrentCallers callers{*Callers::Load(std::nullopt)};
  MemoryJournal journal{"replica-1", InvalidationApplier(&cache, realm_ids, realms)};
  Invalidator invalidator{realms, journal, clock};
  Authenticator authenticator{clock, metrics, *audit, reporter};
  InFlight in_flight{1 << 16};
  StreamRegistry streams;
  RpcParts parts{.clock = clock,
                 .reporter = reporter,
                 .metrics = metrics,
                 .audit = *audit,
                 .realms = realms,
                 .callers = callers,
                 .authenticator = authenticator,
                 .invalidator = invalidator,
                 .cache = &cache,
                 .journal = journal,
                 .in_flight = in_flight,
                 .streams = streams,
                 .replica = {.name = "replica-1", .version = "test", .started_at = absl::Now()},
                 .stream_limits = {}};
  ListenConfig listen;
  std::unique_ptr<ServerTls> tls;
  std::unique_ptr<Server> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::AuthService::Stub> stub;
};

}  // namespace credcache
