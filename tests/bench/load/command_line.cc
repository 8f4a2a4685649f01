#include "load/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/connection.h"
#include "cli/duration.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "load/report.h"
#include "load/run.h"

namespace credcache::load {
namespace {

enum ExitCode : int { kDone = 0, kFailed = 1, kUsage = 2, kUnavailable = 4, kInterrupted = 130 };

constexpr int kMaxConnections = 1000;
constexpr int kMaxInFlight = 100'000;
constexpr int kMaxBatch = 4096;  // as the API has it

int CodeOf(RunError error) {
  switch (error) {
    case RunError::kNone:
      return kDone;
    case RunError::kFailed:
      return kFailed;
    case RunError::kUnavailable:
      return kUnavailable;
    case RunError::kInterrupted:
      return kInterrupted;
  }
  return kFailed;
}

struct Options {
  cli::ConnectionOptions connection;
  int connections = 1;
  RunOptions run;
  std::string mix = "hit=100";
  double rate = 0;
  bool json = false;
};

void Define(CLI::App& app, Options& options) {
  const std::map<std::string, Method> methods = {
      {"unary", Method::kUnary}, {"batch", Method::kBatch}, {"stream", Method::kStream}};
  RunOptions& run = options.run;
  WorkloadOptions& workload = run.workload;
  const auto set = [](absl::Duration& duration) { return [&duration](absl::Duration value) { duration = value; }; };

  app.set_help_flag("--help,-h", "Print this help and exit");
  app.set_version_flag("--version", "credcache-load " CREDCACHE_VERSION);
  app.option_defaults()->group("Server");
  app.add_option("--address", options.connection.address, "HOST:PORT or unix:/PATH; 127.0.0.1:50051 by default")
      ->envname("CREDCACHE_ADDRESS")
      ->type_name("ADDRESS");
  app.add_option("--ca", options.connection.tls.ca, "Speak TLS, and trust the authorities in FILE (PEM)")
      ->type_name("FILE");
  app.add_option("--certificate", options.connection.tls.certificate, "Our certificate (PEM), with --key")
      ->type_name("FILE");
  app.add_option("--key", options.connection.tls.key, "Its private key (PEM, not encrypted)")->type_name("FILE");
  app.add_option("--token-file", options.connection.token_file, "Our bearer token; over TLS or a unix socket only")
      ->type_name("FILE");
  cli::AddDuration(app, "--timeout", absl::Milliseconds(1), set(options.connection.timeout),
                   "For connecting, and for each answer; a server silent for so long ends the run. 10s by default");

  app.option_defaults()->group("Load");
  app.add_option("--method", run.method, "unary (Authenticate), batch (BatchAuthenticate) or stream; unary by default")
      ->transform(CLI::CheckedTransformer(methods))
      ->type_name("METHOD");
  app.add_option("--connections", options.connections, "Connections, each its own; 1 by default")
      ->check(CLI::Range(1, kMaxConnections))
      ->type_name("N");
  app.add_option("--in-flight", run.in_flight,
                 "Log-ons under way at once, over all connections; batches, with --method batch. 64 by default")
      ->check(CLI::Range(1, kMaxInFlight))
      ->type_name("N");
  app.add_option("--batch", run.batch, "Log-ons in a batch; on a stream, at most so many in a message. 16 by default")
      ->check(CLI::Range(1, kMaxBatch))
      ->type_name("N");
  app.add_option(
         "--rate", options.rate,
         "Open loop: begin R log-ons a second, whatever the server does, and count each latency from the moment "
         "at which it was due. Without it, a closed loop")
      ->check(CLI::PositiveNumber)
      ->type_name("R");
  cli::AddDuration(app, "--warm-up", absl::ZeroDuration(), set(run.warm_up), "Load before measuring; 1s by default");
  cli::AddDuration(app, "--duration", absl::Milliseconds(1), set(run.duration), "To be measured; 5s by default");
  app.add_flag("--prime", run.prime, "First log every user on once, so that later ones are hits");
  cli::AddDuration(
      app, "--invalidate-every", absl::Milliseconds(1),
      [&run](absl::Duration period) { run.invalidate_every = period; },
      "Beside the load, make the server forget one of the users that were misses, so often");

  app.option_defaults()->group("Users");
  app.add_option("--realm", run.realm, absl::StrCat("Their realm; ", workload::kRealm, " by default"))
      ->type_name("NAME");
  app.add_option("--users", workload.users, "How many there are to be hits; 1000 by default")
      ->check(CLI::Range(uint32_t{1}, workload::kUserLimit))
      ->type_name("N");
  app.add_option("--zipf", workload.zipf,
                 "User k is asked for in proportion to 1/(k+1)^S; 0, the default, makes all alike")
      ->check(CLI::Range(0.0, 10.0))
      ->type_name("S");
  app.add_option(
         "--mix", options.mix,
         "Weights of the kinds of log-ons, such as hit=98,miss=2,wrong=0. hit: a user of --users; miss: one who "
         "was not asked for before; wrong: a user of --users with a wrong password. hit=100 by default")
      ->type_name("MIX");
  app.add_option("--first-miss", workload.first_miss,
                 "The number of the first user who is a miss; 5000000 by default. Another run against the same server "
                 "wants others")
      ->check(CLI::Range(uint32_t{0}, workload::kUserLimit - 1))
      ->type_name("N");
  app.add_option("--seed", workload.seed, "The same seed gives the same log-ons; 1 by default")->type_name("N");

  app.option_defaults()->group("Output");
  app.add_flag("--json", options.json, "One JSON object on one line");
  app.footer(
      "User 17 is user-0000017.example with the password secret-0000017-word.\n\n"
      "Exit code: 0 done, 1 wrong answers or errors, 2 usage, 4 no server or one that went away, 130 interrupted. What "
      "was measured until then is printed, and marked as partial.\n\n"
      "Latencies are kept in a histogram whose buckets are less than 0.8 % wide.\n\n"
      "Examples:\n"
      "  credcache-load --prime --duration 10s\n"
      "  credcache-load --address unix:/run/credcache.sock --method stream --in-flight 256 --json\n"
      "  credcache-load --rate 5000 --in-flight 1000 --mix hit=98,miss=2 --invalidate-every 1s\n");
}

// What CLI11 cannot check by itself.
absl::Status Check(Options& options) {
  const absl::StatusOr<Mix> mix = ParseMix(options.mix);
  if (!mix.ok()) return mix.status();
  WorkloadOptions& workload = options.run.workload;
  workload.mix = *mix;
  if (options.rate > 0) options.run.rate = options.rate;
  options.run.timeout = options.connection.timeout;
  if (options.run.in_flight < options.connections) {
    return absl::InvalidArgumentError("--in-flight must be at least --connections: each has something under way");
  }
  if (workload.mix.weight(Kind::kMiss) > 0 && workload.users > workload.first_miss) {
    return absl::InvalidArgumentError("--users reaches beyond --first-miss: those users would be hits and misses");
  }
  return absl::OkStatus();
}

// Any answer will do: that there is no such service is one.
bool IsAnswer(const grpc::Status& status) {
  const bool unavailable = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                           status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  return !unavailable || !status.error_details().empty();
}

struct Opened {
  std::vector<cli::Connection> connections;
  RunError error = RunError::kNone;
  std::string message;
};

absl::StatusOr<Opened> Open(const Options& options) {
  Opened opened;
  for (int i = 0; i < options.connections; ++i) {
    absl::StatusOr<cli::Connection> connection = cli::Connection::Open(options.connection);
    if (!connection.ok()) return connection.status();
    const auto stub = grpc::health::v1::Health::NewStub(connection->channel());
    grpc::health::v1::HealthCheckRequest request;
    grpc::health::v1::HealthCheckResponse response;
    const grpc::Status status =
        connection->Call([&](grpc::ClientContext& context) { return stub->Check(&context, request, &response); });
    if (!IsAnswer(status)) {
      opened.error = RunError::kUnavailable;
      opened.message = status.error_message();
      return opened;
    }
    opened.connections.push_back(*std::move(connection));
  }
  return opened;
}

void ShowProgress(const Progress& progress, std::ostream& err) {
  err << absl::StrFormat("\r\x1b[K%6.1f s  %-10s  %10.0f log-ons/s  %d errors", progress.seconds, progress.phase,
                         progress.answers_a_second, progress.errors)
      << std::flush;
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv, const Surroundings& surroundings) {
  Options options;
  CLI::App app("Logs numbered users on at a credcache service, as fast as it can or at a fixed rate, and measures.",
               "credcache-load");
  Define(app, options);
  const auto complain = [&surroundings](absl::string_view text, absl::string_view more) {
    surroundings.err << "credcache-load: " << text << more << std::endl;
  };
  const auto usage = [&complain](absl::string_view text) {
    complain(text, ". See credcache-load --help");
    return static_cast<int>(kUsage);
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way, too.
    if (error.get_exit_code() == 0) return app.exit(error, surroundings.out, surroundings.err);
    return usage(error.what());
  }
  if (const absl::Status status = Check(options); !status.ok()) return usage(status.message());

  absl::StatusOr<Opened> opened = Open(options);
  if (!opened.ok()) return usage(opened.status().message());
  RunResult result{.error = opened->error, .message = opened->message, .partial = true};
  if (opened->error == RunError::kNone) {
    result =
        Execute(options.run, opened->connections, surroundings.interrupted, [&surroundings](const Progress& progress) {
          if (surroundings.progress) ShowProgress(progress, surroundings.err);
        });
    if (surroundings.progress) surroundings.err << "\r\x1b[K" << std::flush;
  }

  const Subject subject{options.connection.address, options.connections, options.run};
  if (options.json) {
    surroundings.out << ToJson(subject, result) << std::endl;
  } else if (!opened->connections.empty()) {
    surroundings.out << ToText(subject, result) << std::flush;
  }
  if (result.error != RunError::kNone) complain(result.message, "");
  if (!surroundings.out) {
    complain("the figures could not be written", "");
    return kFailed;
  }
  return CodeOf(result.error);
}

}  // namespace credcache::load
