#include "cli/stats_command.h"

#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): pthread_sigmask is POSIX's
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/duration.h"
#include "cli/error_report.h"
#include "cli/live_view.h"
#include "cli/stats_table.h"
#include "credcache/v1/auth_service.grpc.pb.h"

namespace credcache::cli {
namespace {

constexpr absl::Duration kShortestInterval = absl::Milliseconds(100);

enum class Event : uint8_t { kStop, kResized, kAnswered, kTimeUp };

// SIGINT, SIGTERM and SIGWINCH as events. Must live before any other thread starts: they inherit what is blocked here.
class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGWINCH}) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
    descriptor_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() {
    close(descriptor_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  // Waits until `answered` (an eventfd; -1: none) is ready, a signal comes, or `deadline`.
  Event Wait(int answered, absl::Time deadline) const {
    while (true) {
      std::array<pollfd, 2> ready = {{{descriptor_, POLLIN, 0}, {answered, POLLIN, 0}}};
      const absl::Duration left = std::max(deadline - absl::Now(), absl::ZeroDuration());
      const auto milliseconds = static_cast<int>(
          std::min<int64_t>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))), 1 << 30));
      const int count = poll(ready.data(), ready.size(), milliseconds);
      if (count == 0) return Event::kTimeUp;
      if ((ready[0].revents & POLLIN) != 0) {
        signalfd_siginfo info{};
        if (read(descriptor_, &info, sizeof info) != sizeof info) continue;
        return info.ssi_signo == SIGWINCH ? Event::kResized : Event::kStop;
      }
      if ((ready[1].revents & POLLIN) != 0) return Event::kAnswered;
    }
  }

 private:
  sigset_t before_;
  int descriptor_;
};

// One Stats call under way, on a thread of its own so that signals are heard meanwhile. Gives up when destroyed.
class Asking {
 public:
  Asking(const Connection& connection, v1::AuthService::Stub& stub, const v1::StatsRequest& request)
      : answered_(eventfd(0, EFD_CLOEXEC)) {
    connection.Prepare(context_);
    thread_ = std::thread([this, &stub, &request] {
      status_ = stub.Stats(&context_, request, &response_);
      const uint64_t one = 1;
      // An eventfd's counter of 0 takes 1 always.
      [[maybe_unused]] const ssize_t written = write(answered_, &one, sizeof one);
    });
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;
  ~Asking() {
    context_.TryCancel();
    Await();
    close(answered_);
  }

  // An eventfd that can be read when there is an answer.
  int descriptor() const { return answered_; }
  // Blocks until there is an answer; `response` may be taken after that.
  grpc::Status Await() {
    if (thread_.joinable()) thread_.join();
    return status_;
  }
  v1::StatsResponse& response() { return response_; }

 private:
  int answered_;
  grpc::ClientContext context_;
  v1::StatsResponse response_;
  grpc::Status status_;
  std::thread thread_;
};

// Samples at each interval, and what is shown of them.
class Watch {
 public:
  Watch(const Connection& connection, const StatsOptions& options, const v1::StatsRequest& request, Signals& signals,
        Console& console)
      : connection_(connection),
        options_(options),
        request_(request),
        signals_(signals),
        console_(console),
        stub_(v1::AuthService::NewStub(connection.channel())),
        view_(console.out, console.out_descriptor) {}

  ExitCode Run() {
    while (true) {
      const absl::Time next = absl::Now() + options_.interval;
      Asking asking(connection_, *stub_, request_);
      if (WaitFor(asking.descriptor(), absl::InfiniteFuture()) == Event::kStop) return ExitCode::kDone;
      const grpc::Status status = connection_.Explain(asking.Await());
      if (status.ok()) {
        Take(std::move(asking.response()));
      } else if (!now_ || status.error_code() != grpc::StatusCode::UNAVAILABLE) {
        // A server that was never there, or that refuses, will not change its mind; one that went away may come back.
        return ReportError(status, console_);
      } else {
        Lose(status);
      }
      if (!console_.out) return ExitCode::kUnavailable;
      if (WaitFor(-1, next) == Event::kStop) return ExitCode::kDone;
    }
  }

 private:
  Event WaitFor(int descriptor, absl::Time deadline) {
    while (true) {
      const Event event = signals_.Wait(descriptor, deadline);
      if (event != Event::kResized) return event;
      if (!shown_.empty()) view_.Show(shown_);
    }
  }

  void Take(v1::StatsResponse stats) {
    before_ = std::move(now_);
    now_ = StatsSample{absl::Now(), std::move(stats)};
    if (console_.json) {
      console_.out << ToJson(now_->stats) << "\n" << std::flush;
    } else {
      Show(RenderStats(*now_, before_));
    }
  }

  void Lose(const grpc::Status& status) {
    if (console_.json) {
      ReportError(status, console_);
    } else {
      Show(absl::StrCat("No answer for ", Rough(absl::Now() - now_->at), ": ", Printable(status.error_message()),
                        "\nThe last one:\n\n", RenderStats(*now_, before_)));
    }
  }

  void Show(std::string text) {
    shown_ = std::move(text);
    view_.Show(shown_);
  }

  const Connection& connection_;
  const StatsOptions& options_;
  const v1::StatsRequest& request_;
  Signals& signals_;
  Console& console_;
  std::unique_ptr<v1::AuthService::Stub> stub_;
  LiveView view_;
  std::optional<StatsSample> before_;
  std::optional<StatsSample> now_;
  std::string shown_;
};

}  // namespace

CLI::App* DefineStats(CLI::App& app, StatsOptions& options) {
  CLI::App* command = app.add_subcommand("stats", "Show what the cache and its backends do");
  command->add_flag("--watch", options.watch, "A live view with rates per second, until Ctrl-C");
  AddDuration(
      *command, "--interval", kShortestInterval, [&options](absl::Duration interval) { options.interval = interval; },
      "With --watch: how often; 1s by default");
  command->add_flag("--per-realm", options.per_realm, "Each realm, too");
  command->add_flag("--per-bucket", options.per_bucket, "Each bucket of the cache, too");
  command->footer(
      "Counters count from the replica's start. With --json --watch one object a line at each interval.\n\n"
      "Examples:\n"
      "  credcachectl stats --per-realm\n"
      "  credcachectl stats --watch --interval 2s\n"
      "  credcachectl --json stats | jq .cache.hitRatio\n");
  return command;
}

ExitCode RunStats(const ConnectionOptions& connection_options, const StatsOptions& options, Console& console) {
  std::optional<Signals> signals;
  if (options.watch) signals.emplace();
  const absl::StatusOr<Connection> connection = Connection::Open(connection_options);
  if (!connection.ok()) return ReportError(connection.status(), console);
  v1::StatsRequest request;
  request.set_per_realm(options.per_realm);
  request.set_per_bucket(options.per_bucket);
  if (options.watch) return Watch(*connection, options, request, *signals, console).Run();

  StatsSample sample;
  const auto stub = v1::AuthService::NewStub(connection->channel());
  const grpc::Status status =
      connection->Call([&](grpc::ClientContext& context) { return stub->Stats(&context, request, &sample.stats); });
  if (!status.ok()) return ReportError(status, console);
  sample.at = absl::Now();
  console.out << (console.json ? ToJson(sample.stats) + "\n" : RenderStats(sample, std::nullopt));
  return ExitCode::kDone;
}

}  // namespace credcache::cli
