#include "mail_day/replay.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"

namespace credcache::mail_day {
namespace {

constexpr size_t kMostExamples = 5;
constexpr int64_t kLogOnsBetweenReports = 50'000;

std::string Describe(const Event& event, const Verdict& verdict) {
  const Moment at = event.at;
  return absl::StrFormat("%02d:%02d:%02d.%03d %s with password version %d: %s from %s", at / kHour, at / kMinute % 60,
                         at / kSecond % 60, at % kSecond, UserName(event.user), event.password.number,
                         verdict.decision == Decision::kAccepted ? "accepted" : "rejected",
                         credcache::Name(verdict.source));
}

}  // namespace

std::unique_ptr<Server> Replay::MakeRealServer(const ServerOptions& options, Agenda& agenda, Directory& directory) {
  return std::make_unique<Server>(options, agenda, directory);
}

Replay::Replay(const ReplayOptions& options, const MakeServer& make_server)
    : options_(options),
      end_(options.hours * kHour),
      directory_(options.site.users, options.latency, agenda_),
      log_ons_by_second_(static_cast<size_t>(end_ / kSecond), 0),
      figures_{.servers = options.servers,
               .users = options.site.users,
               .seed = options.site.seed,
               .hours = options.hours,
               .by_hour = std::vector<Figures::Hour>(static_cast<size_t>(options.hours))} {
  for (int server = 0; server < options.servers; ++server) {
    servers_.push_back(make_server({.cache = options.cache,
                                    .policy = options.policy,
                                    .throttle = options.throttle,
                                    .budget = options.budget,
                                    .seed = options.site.seed + static_cast<uint64_t>(server)},
                                   agenda_, directory_));
  }
}

Figures Replay::Run(const ReportProgress& report) {
  const MonotonicTime began = SystemClock().Monotonic();
  Day day(options_.site, end_);
  PlanHousekeeping();
  while (const std::optional<Event> event = day.Next()) {
    agenda_.RunUntil(event->at);
    switch (event->kind) {
      case Event::Kind::kLogOn:
        LogOn(*event);
        if (figures_.all.log_ons % kLogOnsBetweenReports == 0) report({event->at, figures_.all.log_ons});
        break;
      case Event::Kind::kPasswordChange:
        directory_.ChangePassword(event->user);
        truth_.PasswordChanged(event->user, ++order_);
        if (options_.invalidate_delay == 0) {
          InvalidateEverywhere(event->user);
        } else {
          agenda_.After(options_.invalidate_delay, [this, user = event->user] { InvalidateEverywhere(user); });
        }
        break;
      case Event::Kind::kAdministratorInvalidates:
        InvalidateEverywhere(event->user);
        break;
    }
  }
  agenda_.RunOut();
  Conclude();
  figures_.real_seconds = absl::ToDoubleSeconds(SystemClock().Monotonic() - began);
  return figures_;
}

void Replay::PlanHousekeeping() {
  const Moment interval = absl::ToInt64Milliseconds(Sweeper::kInterval);
  if (agenda_.now() + interval > end_) return;
  agenda_.After(interval, [this] {
    for (const std::unique_ptr<Server>& server : servers_) {
      server->KeepHouse();
      if (agenda_.now() % kMinute != 0) continue;  // counting looks at every bucket
      const CacheCounts counts = server->cache_counts();
      figures_.most_entries = std::max(figures_.most_entries, counts.entries + counts.negative_entries);
    }
    PlanHousekeeping();
  });
}

void Replay::LogOn(const Event& event) {
  ++figures_.all.log_ons;
  ++figures_.by_sender[static_cast<size_t>(event.sender)].log_ons;
  ++figures_.by_hour[static_cast<size_t>(event.at / kHour)].answers.log_ons;
  ++log_ons_by_second_[static_cast<size_t>(event.at / kSecond)];

  Server& server = *servers_[next_server_];
  next_server_ = (next_server_ + 1) % servers_.size();
  const std::string password = PasswordText(event.user, event.password);
  server.Authenticate(
      UserName(event.user), SecretView(password), AddressText(event, options_.site.attackers),
      [this, event, received = ++order_](const absl::StatusOr<Verdict>& answer) { Answered(event, received, answer); });
}

void Replay::Answered(const Event& event, Order received, const absl::StatusOr<Verdict>& answer) {
  const Order answered = ++order_;
  if (!answer.ok()) {
    ++figures_.errors;
    return;
  }
  if (answer->decision == Decision::kThrottled) {
    ++figures_.throttled;
    // No verdict, so not wrong; but whoever was right should not have to wait.
    if (truth_.Judge(event.user, event.password, received, answered, /*accepted=*/true) == Judgement::kRight) {
      ++figures_.throttled_though_right;
    }
  }
  const bool accepted = answer->decision == Decision::kAccepted;
  switch (answer->source) {
    case Source::kCache:
      ++(accepted ? figures_.hits : figures_.negative_hits);
      break;
    case Source::kCoalesced:
      ++figures_.coalesced;
      break;
    default:
      break;
  }
  if (answer->source != Source::kBackend) {
    ++figures_.all.without_backend;
    ++figures_.by_sender[static_cast<size_t>(event.sender)].without_backend;
    ++figures_.by_hour[static_cast<size_t>(event.at / kHour)].answers.without_backend;
  }
  if (answer->decision == Decision::kThrottled) return;
  switch (truth_.Judge(event.user, event.password, received, answered, accepted)) {
    case Judgement::kRight:
      return;
    case Judgement::kStaleWindow:
      ++figures_.stale_window_answers;
      return;
    case Judgement::kWrong:
      break;
  }
  ++figures_.wrong_answers;
  if (figures_.examples.size() < kMostExamples) figures_.examples.push_back(Describe(event, *answer));
}

void Replay::InvalidateEverywhere(int32_t user) {
  ++figures_.invalidations;
  const Order called = ++order_;
  const auto left = std::make_shared<size_t>(servers_.size());
  for (const std::unique_ptr<Server>& server : servers_) {
    server->Invalidate(UserName(user), [this, user, called, left] {
      if (--*left == 0) truth_.InvalidateReturned(user, called, ++order_);
    });
  }
}

void Replay::Conclude() {
  figures_.backend_calls = directory_.binds();
  figures_.searches = directory_.searches();
  const std::vector<int32_t>& binds = directory_.binds_by_second();
  for (size_t second = 0; second < log_ons_by_second_.size(); ++second) {
    figures_.by_hour[second * static_cast<size_t>(kSecond) / static_cast<size_t>(kHour)].backend_calls += binds[second];
    figures_.peak_backend_calls = std::max<int64_t>(figures_.peak_backend_calls, binds[second]);
    figures_.peak_log_ons = std::max<int64_t>(figures_.peak_log_ons, log_ons_by_second_[second]);
  }
  for (const std::unique_ptr<Server>& server : servers_) {
    const RealmCounts counts = server->realm_counts();
    figures_.refreshes += static_cast<int64_t>(counts.refreshes);
    for (size_t reason = 0; reason < counts.misses.size(); ++reason) {
      figures_.misses[reason] += static_cast<int64_t>(counts.misses[reason]);
    }
    figures_.evictions += server->cache_counts().evictions;
  }
}

}  // namespace credcache::mail_day
