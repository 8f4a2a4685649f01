// credcache-mail-day: a day of a mail site in a few seconds, against the real validator and cache, and what the
// directory is spared by them. README.md explains the model and the figures.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/clock.h"
#include "config/duration.h"
#include "mail_day/figures.h"
#include "mail_day/replay.h"

namespace credcache::mail_day {
namespace {

constexpr int kExitWrongAnswer = 1;
constexpr int kExitUsage = 2;

// A line on a terminal that is written over until it is erased.
class ProgressLine {
 public:
  explicit ProgressLine(int servers) : servers_(servers), began_(clock_.Monotonic()), shown_(began_) {}
  ~ProgressLine() {
    if (written_) std::fputs("\r\x1b[K", stderr);
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Report(const Progress& progress) {
    if (!terminal_) return;
    const MonotonicTime now = clock_.Monotonic();
    if (now - shown_ < absl::Milliseconds(200)) return;
    shown_ = now;
    written_ = true;
    absl::FPrintF(stderr, "\r\x1b[K%d server%s  %02d:%02d  %d log-ons  %.0f a second", servers_,
                  servers_ == 1 ? "" : "s", progress.now / kHour, progress.now / kMinute % 60, progress.log_ons,
                  static_cast<double>(progress.log_ons) / absl::ToDoubleSeconds(now - began_));
    std::fflush(stderr);
  }

 private:
  const SystemClock clock_;
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  const int servers_;
  const MonotonicTime began_;
  MonotonicTime shown_;
  bool written_ = false;
};

struct Options {
  ReplayOptions replay;
  int servers = 0;  // 0: one run with 1, one with 3
  bool json = false;
};

// A flag whose value is a duration as the configuration writes it.
void AddDuration(CLI::App& app, const std::string& name, absl::Duration& value, const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [name, &value](const std::string& text) {
           const std::optional<absl::Duration> duration = ParseDuration(text);
           if (!duration.has_value()) throw CLI::ValidationError(name, "expected a duration such as 30s or 15m");
           value = *duration;
         },
         help)
      ->default_str(DurationText(value))
      ->type_name("DURATION");
}

int RunAll(Options options) {
  std::vector<Figures> runs;
  const std::vector<int> ways = options.servers == 0 ? std::vector<int>{1, 3} : std::vector<int>{options.servers};
  for (const int servers : ways) {
    options.replay.servers = servers;
    {
      ProgressLine line(servers);
      runs.push_back(Replay(options.replay).Run([&line](const Progress& progress) { line.Report(progress); }));
    }
    absl::PrintF("%s\n", options.json ? ToJson(runs.back()) : ToText(runs.back()));
    std::fflush(stdout);
  }
  if (!options.json) absl::PrintF("%s", Compare(runs));
  for (const Figures& figures : runs) {
    if (figures.wrong_answers > 0) return kExitWrongAnswer;
  }
  return 0;
}

int Main(int argc, char** argv) {
  Options options;
  CachePolicy& policy = options.replay.policy;
  absl::Duration invalidate_delay = absl::ZeroDuration();
  CLI::App app("A day of a mail site in compressed time: what of its log-ons reaches the directory.");
  app.add_option("--users", options.replay.site.users, "users of the site")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--seed", options.replay.site.seed, "the same seed gives the same day")->capture_default_str();
  app.add_option("--hours", options.replay.hours, "how much of the day, from midnight")
      ->check(CLI::Range(1, 24))
      ->capture_default_str();
  app.add_option("--servers", options.servers, "1, or 3 in turn; default: a run with each")
      ->check(CLI::IsMember({1, 3}));
  AddDuration(app, "--invalidate-delay", invalidate_delay, "from a password's change to its Invalidate");
  AddDuration(app, "--age-limit", policy.age_limit, "cache.age_limit");
  AddDuration(app, "--idle-limit", policy.idle_limit, "cache.idle_limit");
  AddDuration(app, "--negative-first", policy.negative_first, "cache.negative.first");
  AddDuration(app, "--negative-longest", policy.negative_longest, "cache.negative.longest");
  app.add_flag("--refresh-ahead,!--no-refresh-ahead", policy.refresh_ahead, "cache.refresh_ahead");
  bool throttle = true;
  app.add_flag("--throttle,!--no-throttle", throttle, "the limits of guessing, and the backend budget, as by default");
  app.add_flag("--json", options.json, "one JSON object a run");
  app.footer("Exit: 0; 1 when an answer was wrong; 2 usage.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  if (!throttle) {
    options.replay.throttle.account.limit = 0;
    options.replay.throttle.known_address.limit = 0;
    options.replay.throttle.address.limit = 0;
    options.replay.budget.rejections = 0;
  }
  // Attackers take what they find: as many more, the larger the site.
  SiteParameters& site = options.replay.site;
  site.spray_made_up_names = site.users * 2 / 5;
  site.guesses = site.users / 10;
  options.replay.invalidate_delay = absl::ToInt64Milliseconds(invalidate_delay);
  return RunAll(options);
}

}  // namespace
}  // namespace credcache::mail_day

int main(int argc, char** argv) { return credcache::mail_day::Main(argc, argv); }
