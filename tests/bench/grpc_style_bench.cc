// Which of gRPC's server styles costs least for a unary call that is answered at once, as a cache hit is?
//
// Every style runs in a process of its own and answers Authenticate with the same constant message. One client drives
// them in alternating rounds, so that drift of the machine hits all alike, and prints each style's throughput and
// latency as ratios to the first style's of the same round: median, minimum, maximum. The decision that rests on it:
// service/docs/adr/0003-grpc-server-style.md.
//
// With --against ADDRESS a server that runs already is measured beside them, as the last line. It must know the user
// alice.example.user of realm corp.example with the password "correct horse battery".
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX's
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "credcache/v1/auth_service.grpc.pb.h"

namespace {

using credcache::v1::AuthenticateRequest;
using credcache::v1::AuthenticateResponse;
using credcache::v1::AuthService;
using SteadyClock = std::chrono::steady_clock;

struct Options {
  double seconds = 0.2;
  int rounds = 25;
  bool unix_socket = false;
  std::string against;
};

void Answer(AuthenticateResponse* response) {
  response->set_outcome(credcache::v1::OUTCOME_ACCEPTED);
  response->set_source(credcache::v1::SOURCE_CACHE);
  auto* identity = response->mutable_identity();
  identity->set_subject("5f1c2f9e-8c0a-4c56-9d52-0a3c8b6a4f11");
  identity->set_realm("corp.example");
  identity->set_username("alice.example.user");
  for (const char* group : {"staff", "mail-users", "vpn"}) identity->add_groups(group);
  response->mutable_validated_at()->set_seconds(1'790'000'000);
  response->mutable_expires_at()->set_seconds(1'790'007'200);
}

AuthenticateRequest Question() {
  AuthenticateRequest request;
  request.mutable_password()->set_realm("corp.example");
  request.mutable_password()->set_username("alice.example.user");
  request.mutable_password()->set_password("correct horse battery");
  request.mutable_context()->set_protocol("imap");
  request.mutable_context()->set_client_address("192.0.2.17");
  return request;
}

// --- Servers -------------------------------------------------------------------------------------------------------

// Starts `service` and returns its port; 0 on a unix socket.
std::unique_ptr<grpc::Server> Start(grpc::ServerBuilder& builder, grpc::Service* service, const std::string& address,
                                    int* port) {
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), port);
  builder.RegisterService(service);
  return builder.BuildAndStart();
}

class CallbackService final : public AuthService::CallbackService {
  grpc::ServerUnaryReactor* Authenticate(grpc::CallbackServerContext* context, const AuthenticateRequest*,
                                         AuthenticateResponse* response) override {
    Answer(response);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

// A reactor of one's own, which is told of OnDone and OnCancel: gRPC calls them on another thread.
class OwnReactorService final : public AuthService::CallbackService {
  class Reactor final : public grpc::ServerUnaryReactor {
    void OnDone() override { delete this; }
  };
  grpc::ServerUnaryReactor* Authenticate(grpc::CallbackServerContext*, const AuthenticateRequest*,
                                         AuthenticateResponse* response) override {
    Answer(response);
    auto* reactor = new Reactor;
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

// Bytes in, bytes out; the messages live on the stack, parsed and serialised by us.
class RawService final : public AuthService::WithRawCallbackMethod_Authenticate<AuthService::Service> {
  grpc::ServerUnaryReactor* Authenticate(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request_bytes,
                                         grpc::ByteBuffer* response_bytes) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    AuthenticateRequest request;
    grpc::ByteBuffer input(*request_bytes);
    grpc::ProtoBufferReader reader(&input);
    if (!request.ParseFromZeroCopyStream(&reader)) {
      reactor->Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, ""));
      return reactor;
    }
    AuthenticateResponse response;
    Answer(&response);
    grpc::Slice slice(response.ByteSizeLong());
    response.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
    *response_bytes = grpc::ByteBuffer(&slice, 1);
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class SyncService final : public AuthService::Service {
  grpc::Status Authenticate(grpc::ServerContext*, const AuthenticateRequest*, AuthenticateResponse* response) override {
    Answer(response);
    return grpc::Status::OK;
  }
};

// Authenticate by completion queue, the other methods by callbacks.
using HybridService = AuthService::WithAsyncMethod_Authenticate<AuthService::WithCallbackMethod_BatchAuthenticate<
    AuthService::WithCallbackMethod_AuthenticateStream<AuthService::Service>>>;

class QueueCall {
 public:
  QueueCall(HybridService* service, grpc::ServerCompletionQueue* queue)
      : service_(service), queue_(queue), responder_(&context_) {
    service_->RequestAuthenticate(&context_, &request_, &responder_, queue_, queue_, this);
  }
  void Proceed(bool ok) {
    if (answered_ || !ok) {
      delete this;
      return;
    }
    new QueueCall(service_, queue_);
    answered_ = true;
    Answer(&response_);
    responder_.Finish(response_, grpc::Status::OK, this);
  }

 private:
  HybridService* service_;
  grpc::ServerCompletionQueue* queue_;
  grpc::ServerContext context_;
  AuthenticateRequest request_;
  AuthenticateResponse response_;
  grpc::ServerAsyncResponseWriter<AuthenticateResponse> responder_;
  bool answered_ = false;
};

constexpr int kCallsPosted = 128;

// `queues` completion queues, each polled by `threads` threads. Does not return.
void ServeQueues(int queues, int threads, const std::string& address, const std::function<void(int)>& ready) {
  HybridService service;
  grpc::ServerBuilder builder;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> completion_queues;
  completion_queues.reserve(static_cast<size_t>(queues));
  for (int i = 0; i < queues; ++i) completion_queues.push_back(builder.AddCompletionQueue());
  int port = 0;
  auto server = Start(builder, &service, address, &port);
  std::vector<std::thread> pollers;
  for (auto& queue : completion_queues) {
    for (int i = 0; i < kCallsPosted; ++i) new QueueCall(&service, queue.get());
    for (int i = 0; i < threads; ++i) {
      pollers.emplace_back([&queue] {
        void* tag = nullptr;
        bool ok = false;
        while (queue->Next(&tag, &ok)) static_cast<QueueCall*>(tag)->Proceed(ok);
      });
    }
  }
  ready(port);
  for (auto& poller : pollers) poller.join();
}

// Raw bytes, beside gRPC's own reflection service, which is of the sync style and brings threads that poll too.
void ServeWithReflection(const std::string& address, const std::function<void(int)>& ready) {
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  RawService service;
  grpc::ServerBuilder builder;
  int port = 0;
  auto server = Start(builder, &service, address, &port);
  ready(port);
  server->Wait();
}

template <typename Service>
void Serve(const std::string& address, const std::function<void(int)>& ready) {
  Service service;
  grpc::ServerBuilder builder;
  int port = 0;
  auto server = Start(builder, &service, address, &port);
  ready(port);
  server->Wait();
}

struct Style {
  const char* name;
  std::function<void(const std::string& address, const std::function<void(int)>& ready)> serve;
};

const std::vector<Style>& Styles() {
  static const auto& styles = *new std::vector<Style>{
      {"callback", Serve<CallbackService>},
      {"callback, own reactor", Serve<OwnReactorService>},
      {"callback, raw bytes", Serve<RawService>},
      {"callback, raw, reflection", ServeWithReflection},
      {"queue, 1 thread", [](const auto& address, const auto& ready) { ServeQueues(1, 1, address, ready); }},
      {"queue, 2 threads", [](const auto& address, const auto& ready) { ServeQueues(1, 2, address, ready); }},
      {"2 queues, 1 thread each", [](const auto& address, const auto& ready) { ServeQueues(2, 1, address, ready); }},
      {"sync", Serve<SyncService>},
  };
  return styles;
}

struct Process {
  pid_t pid;
  std::string address;
};

// Before gRPC is used in this process: it does not survive a fork.
Process Spawn(const Style& style, const Options& options, int number) {
  std::array<int, 2> pipe_ends;
  if (pipe(pipe_ends.data()) != 0) exit(1);
  const std::string address = options.unix_socket ? "unix:/tmp/grpc_style_bench." + std::to_string(getpid()) + "." +
                                                        std::to_string(number) + ".sock"
                                                  : "127.0.0.1:0";
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    style.serve(address, [&pipe_ends](int port) {
      if (write(pipe_ends[1], &port, sizeof port) != sizeof port) _exit(1);
    });
    _exit(0);
  }
  close(pipe_ends[1]);
  int port = 0;
  if (read(pipe_ends[0], &port, sizeof port) != sizeof port) {
    std::fprintf(stderr, "grpc_style_bench: the server \"%s\" did not start\n", style.name);
    exit(1);
  }
  close(pipe_ends[0]);
  return {pid, options.unix_socket ? address : "127.0.0.1:" + std::to_string(port)};
}

// --- Client --------------------------------------------------------------------------------------------------------

struct Measured {
  double calls_a_second = 0;
  double median_microseconds = 0;
  double p99_microseconds = 0;
};

struct ClientCall {
  grpc::ClientContext context;
  AuthenticateResponse response;
  grpc::Status status;
  SteadyClock::time_point begin;
  std::unique_ptr<grpc::ClientAsyncResponseReader<AuthenticateResponse>> reader;
};

// Closed loop: `in_flight` calls over `stubs`, one thread.
Measured Drive(const std::vector<std::unique_ptr<AuthService::Stub>>& stubs, int in_flight, double seconds) {
  grpc::CompletionQueue queue;
  const AuthenticateRequest request = Question();
  size_t next_stub = 0;
  const auto start_call = [&] {
    auto* call = new ClientCall;
    call->begin = SteadyClock::now();
    call->reader = stubs[next_stub++ % stubs.size()]->AsyncAuthenticate(&call->context, request, &queue);
    call->reader->Finish(&call->response, &call->status, call);
  };
  std::vector<double> microseconds;
  microseconds.reserve(1 << 18);
  const auto begin = SteadyClock::now();
  const auto end = begin + std::chrono::duration<double>(seconds);
  for (int i = 0; i < in_flight; ++i) start_call();
  int open = in_flight;
  auto now = begin;
  while (open > 0) {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    std::unique_ptr<ClientCall> call(static_cast<ClientCall*>(tag));
    now = SteadyClock::now();
    if (!call->status.ok()) {
      std::fprintf(stderr, "grpc_style_bench: %s\n", call->status.error_message().c_str());
      exit(1);
    }
    microseconds.push_back(std::chrono::duration<double, std::micro>(now - call->begin).count());
    if (now < end) {
      start_call();
    } else {
      --open;
    }
  }
  const double took = std::chrono::duration<double>(now - begin).count();
  queue.Shutdown();
  std::sort(microseconds.begin(), microseconds.end());
  return {static_cast<double>(microseconds.size()) / took, microseconds[microseconds.size() / 2],
          microseconds[microseconds.size() * 99 / 100]};
}

std::vector<std::unique_ptr<AuthService::Stub>> Connect(const std::string& address, int channels) {
  std::vector<std::unique_ptr<AuthService::Stub>> stubs;
  for (int i = 0; i < channels; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stubs.push_back(
        AuthService::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments)));
  }
  return stubs;
}

// --- Figures -------------------------------------------------------------------------------------------------------

// "1.03 (0.98 .. 1.07)": median, minimum and maximum of the rounds' ratios.
std::string Spread(std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%.2f (%.2f .. %.2f)", ratios[ratios.size() / 2], ratios.front(),
                ratios.back());
  return text.data();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Compare(const std::vector<Process>& processes, int in_flight, int channels, const Options& options) {
  std::vector<std::vector<std::unique_ptr<AuthService::Stub>>> stubs;
  for (const Process& process : processes) {
    stubs.push_back(Connect(process.address, channels));
    Drive(stubs.back(), in_flight, options.seconds / 4);  // warm-up
  }
  std::vector<std::vector<Measured>> rounds(processes.size());
  for (int round = 0; round < options.rounds; ++round) {
    for (size_t style = 0; style < processes.size(); ++style) {
      rounds[style].push_back(Drive(stubs[style], in_flight, options.seconds));
    }
  }
  std::printf(
      "\n%d in flight, %d connection%s (ratios to the first line, of the same round: median (minimum .. maximum))\n",
      in_flight, channels, channels == 1 ? "" : "s");
  std::printf("%-25s %10s %22s %22s %22s\n", "style", "calls/s", "throughput", "median latency", "p99 latency");
  for (size_t style = 0; style < processes.size(); ++style) {
    std::vector<double> calls;
    std::vector<double> throughput;
    std::vector<double> median;
    std::vector<double> p99;
    for (size_t round = 0; round < rounds[style].size(); ++round) {
      const Measured& base = rounds[0][round];
      const Measured& own = rounds[style][round];
      calls.push_back(own.calls_a_second);
      throughput.push_back(own.calls_a_second / base.calls_a_second);
      median.push_back(own.median_microseconds / base.median_microseconds);
      p99.push_back(own.p99_microseconds / base.p99_microseconds);
    }
    std::printf("%-25s %10.0f %22s %22s %22s\n", style < Styles().size() ? Styles()[style].name : "--against",
                Median(calls), Spread(throughput).c_str(), Spread(median).c_str(), Spread(p99).c_str());
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Compares gRPC's server styles on a bare echo of Authenticate");
  app.add_option("--seconds", options.seconds, "Length of one measurement")->check(CLI::PositiveNumber);
  app.add_option("--rounds", options.rounds, "Rounds; each measures every style once")->check(CLI::PositiveNumber);
  app.add_option("--against", options.against, "Address of a running credcached to measure beside them");
  app.add_flag("--unix", options.unix_socket, "Over unix sockets instead of loopback TCP");
  CLI11_PARSE(app, argc, argv);

  std::vector<Process> processes;
  for (const Style& style : Styles()) {
    processes.push_back(Spawn(style, options, static_cast<int>(processes.size())));
  }
  if (!options.against.empty()) processes.push_back({0, options.against});
  Compare(processes, 1, 1, options);
  Compare(processes, 64, 1, options);
  Compare(processes, 64, 4, options);
  for (const Process& process : processes) {
    if (process.pid == 0) continue;
    kill(process.pid, SIGKILL);
    waitpid(process.pid, nullptr, 0);
    if (options.unix_socket) unlink(process.address.substr(sizeof("unix:") - 1).c_str());
  }
  return 0;
}
