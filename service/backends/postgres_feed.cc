#include "backends/postgres_feed.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/jitter.h"

namespace credcache {
namespace {

constexpr absl::Duration kCheckInterval = absl::Seconds(3);
constexpr absl::Duration kEverythingInterval = absl::Seconds(1);
constexpr absl::Duration kJunkReportInterval = absl::Minutes(1);
constexpr absl::Duration kFirstBackoff = absl::Milliseconds(100);
constexpr absl::Duration kLongestBackoff = absl::Seconds(5);

}  // namespace

PostgresFeed::PostgresFeed(PostgresFeedOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
                           std::shared_ptr<ChangeListener> changes)
    : options_(std::move(options)),
      clock_(clock),
      randomness_(randomness),
      reporter_(reporter),
      changes_(std::move(changes)),
      wake_(eventfd(0, EFD_CLOEXEC)),
      everything_(kEverythingInterval),
      junk_reports_(kJunkReportInterval) {
  changes_->FeedDown("it does not listen yet");
  thread_ = std::thread([this] { Run(); });
}

PostgresFeed::~PostgresFeed() {
  const uint64_t one = 1;
  static_cast<void>(!write(wake_, &one, sizeof(one)));
  thread_.join();
  close(wake_);
}

void PostgresFeed::Run() {
  pthread_setname_np(pthread_self(), "postgres-feed");
  absl::Duration backoff = kFirstBackoff;
  while (true) {
    was_up_ = false;
    const absl::Status ended = Listen();
    if (absl::IsCancelled(ended)) return;
    changes_->FeedDown(ended.message());
    if (was_up_) backoff = kFirstBackoff;
    if (Pause(std::max(Jittered(backoff, randomness_), everything_.earliest() - clock_.Monotonic()))) return;
    backoff = std::min(backoff * 2, kLongestBackoff);
  }
}

absl::Status PostgresFeed::Listen() {
  auto connection = PostgresConnection::Open(
      {.dsn_file = options_.dsn_file, .timeout = options_.timeout, .primary = true, .wake = wake_}, clock_,
      clock_.Monotonic() + options_.timeout);
  if (!connection.ok()) return connection.status();
  return ListenOn(**connection);
}

absl::Status PostgresFeed::ListenOn(PostgresConnection& connection) {
  const auto listening = connection.Listen(options_.channel, clock_.Monotonic() + options_.timeout);
  if (!listening.ok()) return listening.status();
  if (!listening->sqlstate.empty()) return absl::UnavailableError(listening->message);
  // In this order: what is committed from here on is notified, all before is said to have changed.
  changes_->EverythingChanged();
  changes_->FeedUp();
  was_up_ = true;
  everything_.Done(clock_.Monotonic());
  MonotonicTime next_check = clock_.Monotonic() + kCheckInterval;
  while (true) {
    const auto payloads = connection.TakeNotifications();
    if (!payloads.ok()) return payloads.status();
    Hear(*payloads);
    ForgetEverythingIfDue();
    const MonotonicTime now = clock_.Monotonic();
    if (now >= next_check) {
      const auto alive = connection.Execute("select 1", now + options_.timeout);
      if (!alive.ok()) return alive.status();
      if (!alive->sqlstate.empty()) return absl::UnavailableError(alive->message);
      next_check = clock_.Monotonic() + kCheckInterval;
      continue;
    }
    absl::Status waited = connection.WaitForInput(std::min(next_check, everything_.due()));
    if (!waited.ok() && !absl::IsDeadlineExceeded(waited)) return waited;
  }
}

void PostgresFeed::Hear(const std::vector<std::string>& payloads) {
  if (payloads.empty()) return;
  const PostgresChanges heard = ChangesIn(payloads, options_.case_rule);
  if (!heard.usernames.empty()) changes_->AccountsChanged(heard.usernames);
  if (heard.everything) everything_.Ask();
  if (heard.junk == 0) return;
  junk_ += heard.junk;
  junk_reports_.Ask();
  if (!junk_reports_.Take(clock_.Monotonic())) return;
  reporter_.Report(Severity::kWarning, "postgres_bad_payload",
                   absl::StrCat(options_.realm, ": ", junk_, " notifications on channel ", options_.channel,
                                " named nobody, so all users were forgotten: one ", heard.why));
  junk_ = 0;
}

void PostgresFeed::ForgetEverythingIfDue() {
  if (everything_.Take(clock_.Monotonic())) changes_->EverythingChanged();
}

bool PostgresFeed::Pause(absl::Duration length) const {
  pollfd wait = {.fd = wake_, .events = POLLIN};
  const MonotonicTime end = clock_.Monotonic() + length;
  while (true) {
    const absl::Duration left = end - clock_.Monotonic();
    if (left <= absl::ZeroDuration()) return false;
    if (poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))))) > 0) {
      return true;
    }
  }
}

}  // namespace credcache
