// credcache-echo: what gRPC and protobuf themselves cost for the messages that credcached answers; the floor that it is
// measured against. Every log-on is parsed, and answered at once with the same acceptance: the size of a hit of a user
// with a 36-byte subject and three groups. Nothing is checked, counted, limited or wiped.
//
// Callbacks over raw bytes, the cheapest of gRPC's styles (ADR 0003). Messages are read and filled as credcached has
// to: a unary call's on the stack, a batch's on an arena. The channel's arguments are credcached's, where they cost.
#include <google/protobuf/arena.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/limits.h"
#include "credcache/v1/auth_service.grpc.pb.h"

namespace {

using google::protobuf::Arena;
namespace v1 = credcache::v1;

void Answer(v1::AuthenticateResponse* response) {
  response->set_outcome(v1::OUTCOME_ACCEPTED);
  response->set_source(v1::SOURCE_CACHE);
  auto* identity = response->mutable_identity();
  identity->set_subject("5f1c2f9e-8c0a-4c56-9d52-0a3c8b6a4f11");
  identity->set_realm("corp.example");
  identity->set_username("user-0000000.example");
  for (const char* group : {"staff", "mail-users", "vpn"}) identity->add_groups(group);
  response->mutable_validated_at()->set_seconds(1'790'000'000);
  response->mutable_validated_at()->set_nanos(123'456'789);
  response->mutable_expires_at()->set_seconds(1'790'007'200);
  response->mutable_expires_at()->set_nanos(123'456'789);
}

bool Parse(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite* message) {
  grpc::Slice slice;
  if (!bytes.TrySingleSlice(&slice).ok() && !bytes.DumpToSingleSlice(&slice).ok()) return false;
  return message->ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message) {
  grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return {&slice, 1};
}

const grpc::Status& NoMessage() {
  static const auto& status = *new grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "not such a message");
  return status;
}

// Reads a message and writes its results; one after the other, as they come.
class StreamEcho final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  StreamEcho() { StartRead(&request_); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    Arena arena;
    auto* request = Arena::CreateMessage<v1::AuthenticateStreamRequest>(&arena);
    auto* response = Arena::CreateMessage<v1::AuthenticateStreamResponse>(&arena);
    if (!Parse(request_, request)) return Finish(NoMessage());
    response->mutable_results()->Reserve(request->requests_size());
    for (const v1::NumberedRequest& numbered : request->requests()) {
      v1::NumberedResult* result = response->add_results();
      result->set_id(numbered.id());
      Answer(result->mutable_result()->mutable_response());
    }
    response_ = Serialize(*response);
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (ok) StartRead(&request_);
  }
  void OnCancel() override { Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

using RawService =
    v1::AuthService::WithRawCallbackMethod_Authenticate<v1::AuthService::WithRawCallbackMethod_BatchAuthenticate<
        v1::AuthService::WithRawCallbackMethod_AuthenticateStream<v1::AuthService::Service>>>;

class Echo final : public RawService {
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;

  grpc::ServerUnaryReactor* Authenticate(Context* context, const Bytes* bytes, Bytes* answer) override {
    v1::AuthenticateRequest request;
    if (!Parse(*bytes, &request)) return Finish(context, NoMessage());
    v1::AuthenticateResponse response;
    Answer(&response);
    *answer = Serialize(response);
    return Finish(context, grpc::Status::OK);
  }

  grpc::ServerUnaryReactor* BatchAuthenticate(Context* context, const Bytes* bytes, Bytes* answer) override {
    Arena arena;
    auto* request = Arena::CreateMessage<v1::BatchAuthenticateRequest>(&arena);
    auto* response = Arena::CreateMessage<v1::BatchAuthenticateResponse>(&arena);
    if (!Parse(*bytes, request)) return Finish(context, NoMessage());
    response->mutable_results()->Reserve(request->requests_size());
    for (int i = 0; i < request->requests_size(); ++i) Answer(response->add_results()->mutable_response());
    *answer = Serialize(*response);
    return Finish(context, grpc::Status::OK);
  }

  grpc::ServerBidiReactor<Bytes, Bytes>* AuthenticateStream(Context*) override { return new StreamEcho; }

  static grpc::ServerUnaryReactor* Finish(Context* context, const grpc::Status& status) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(status);
    return reactor;
  }
};

struct Options {
  std::string address = "127.0.0.1:0";
  std::string certificate;
  std::string key;
  std::string client_ca;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (file && !text.empty()) return text;
  std::fprintf(stderr, "credcache-echo: %s cannot be read, or is empty\n", path.c_str());
  exit(2);
}

std::shared_ptr<grpc::ServerCredentials> Credentials(const Options& options) {
  if (options.certificate.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({ReadFile(options.key), ReadFile(options.certificate)});
  if (!options.client_ca.empty()) {
    tls.pem_root_certs = ReadFile(options.client_ca);
    tls.client_certificate_request = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  return grpc::SslServerCredentials(tls);
}

void SetArguments(grpc::ServerBuilder& builder) {
  const auto milliseconds = [](absl::Duration duration) {
    return static_cast<int>(absl::ToInt64Milliseconds(duration));
  };
  builder.SetMaxReceiveMessageSize(credcache::kMaxMessageSize);
  builder.SetMaxSendMessageSize(credcache::kMaxMessageSize);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, milliseconds(absl::Minutes(10)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(credcache::kKeepaliveTime));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(credcache::kKeepaliveTimeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
}

int Serve(const Options& options) {
  // Before gRPC has threads, which would take them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  Echo service;
  grpc::ServerBuilder builder;
  SetArguments(builder);
  int port = 0;
  builder.AddListeningPort(options.address, Credentials(options), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "credcache-echo: cannot listen on %s\n", options.address.c_str());
    return 1;
  }
  const bool is_unix = options.address.rfind("unix:", 0) == 0;
  const std::string host = options.address.substr(0, options.address.rfind(':'));
  const std::string address = is_unix ? options.address : host + ":" + std::to_string(port);
  std::fprintf(stderr, "credcache-echo ready grpc=%s\n", address.c_str());
  int signal = 0;
  sigwait(&ends, &signal);
  // There is nothing to be saved, and gRPC's own shutdown now and then takes ten seconds.
  if (is_unix) unlink(options.address.c_str() + std::strlen("unix:"));
  _exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as credcached does
  Options options;
  CLI::App app("Answers log-ons with the same acceptance at once: what gRPC itself costs.", "credcache-echo");
  app.add_option("--address", options.address, "HOST:PORT (0: a free one) or unix:/PATH; 127.0.0.1:0 by default")
      ->type_name("ADDRESS");
  CLI::Option* key = app.add_option("--key", options.key, "The certificate's private key (PEM)")->type_name("FILE");
  CLI::Option* certificate =
      app.add_option("--certificate", options.certificate, "Speak TLS, with this certificate (PEM)")
          ->type_name("FILE")
          ->needs(key);
  key->needs(certificate);
  app.add_option("--client-ca", options.client_ca, "Ask clients for a certificate from these authorities (PEM)")
      ->type_name("FILE")
      ->needs(certificate);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return Serve(options);
}
