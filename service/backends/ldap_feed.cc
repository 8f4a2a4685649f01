#include "backends/ldap_feed.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "backends/ldap_filter.h"
#include "backends/ldap_notice_follower.h"
#include "backends/ldap_root.h"
#include "backends/ldap_service_account.h"
#include "backends/ldap_sigpipe.h"
#include "backends/ldap_sync_follower.h"
#include "base/jitter.h"

namespace credcache {
namespace {

constexpr absl::Duration kFirstDelay = absl::Milliseconds(100);
constexpr absl::Duration kLongestDelay = absl::Seconds(5);
// Asking a directory that refuses us on and on would lock our own account there.
constexpr absl::Duration kRefusedDelay = absl::Seconds(30);
// Silence, after which the server is asked something.
constexpr absl::Duration kHeartbeat = absl::Seconds(1);
// How long the end of the feed may wait for a connection that is silent.
constexpr absl::Duration kSlice = absl::Milliseconds(100);

constexpr size_t kMostRemembered = 16 << 10;
constexpr const char* kUserPassword = "userPassword";
constexpr const char* kMemberOf = "memberOf";
constexpr const char* kNestingRule = "1.2.840.113556.1.4.1941";

// Whether verdicts or identities rest on who is in which group.
bool GroupsCount(const LdapBackendOptions& options) {
  const std::vector<std::string> filter = AttributesOf(options.filter).all;
  return absl::EqualsIgnoreCase(options.identity.groups, kMemberOf) || !options.nested_groups_base.empty() ||
         std::any_of(filter.begin(), filter.end(),
                     [](const std::string& attribute) { return absl::EqualsIgnoreCase(attribute, kMemberOf); });
}

Nesting NestingOf(const LdapBackendOptions& options) {
  const bool counts = !options.nested_groups_base.empty() || absl::StrContains(options.filter, kNestingRule);
  return counts ? Nesting::kCounts : Nesting::kNone;
}

// The server's answer to a question that it need not answer well.
class Heartbeat {
 public:
  Heartbeat(Clock& clock, absl::Duration timeout) : clock_(clock), timeout_(timeout), heard_(clock.Monotonic()) {}

  void Heard(const LdapEvent& event) {
    heard_ = clock_.Monotonic();
    if (event.kind == LdapEvent::Kind::kResult && event.message_id == question_) question_ = 0;
  }
  absl::Status Silence(LdapConnection& connection) {
    const absl::Duration silence = clock_.Monotonic() - std::max(heard_, asked_);
    if (question_ != 0) {
      if (silence < timeout_) return absl::OkStatus();
      return absl::UnavailableError("the directory has fallen silent");
    }
    if (silence < kHeartbeat) return absl::OkStatus();
    const auto question = connection.BeginSearch(RootDse({"1.1"}), {});
    if (!question.ok()) return question.status();
    question_ = *question;
    asked_ = clock_.Monotonic();
    return absl::OkStatus();
  }

 private:
  Clock& clock_;
  const absl::Duration timeout_;
  MonotonicTime heard_;
  MonotonicTime asked_;
  int question_ = 0;
};

}  // namespace

LdapFeed::LdapFeed(const LdapBackendOptions& options, Servers& servers, Clock& clock, Randomness& randomness,
                   Reporter& reporter, std::shared_ptr<ChangeListener> changes)
    : options_(options),
      servers_(servers),
      clock_(clock),
      randomness_(randomness),
      reporter_(reporter),
      changes_(std::move(changes)),
      fingerprinter_(randomness),
      accounts_(options.identity, options.filter, fingerprinter_),
      groups_(NestingOf(options)),
      groups_count_(GroupsCount(options)) {
  changes_->FeedDown("it has just begun");
  thread_ = std::thread([this] { Run(); });
}

LdapFeed::~LdapFeed() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void LdapFeed::Run() {
  pthread_setname_np(pthread_self(), "ldap-feed");
  const LdapSigpipeGuard guard;
  absl::Duration delay = kFirstDelay;
  std::vector<MonotonicTime> not_before(options_.urls.size());  // where we were refused
  while (true) {
    bool was_up = false;
    for (size_t i = 0; i < options_.urls.size(); ++i) {
      if (clock_.Monotonic() < not_before[i]) continue;
      const absl::Status why = Follow(i);
      if (Stopping()) return;
      was_up = was_up || up_;
      Lost(i, why);
      if (absl::IsPermissionDenied(why)) not_before[i] = clock_.Monotonic() + kRefusedDelay;
    }
    if (was_up) delay = kFirstDelay;
    if (Wait(Jittered(delay, randomness_))) return;
    delay = std::min(delay * 2, kLongestDelay);
  }
}

absl::Status LdapFeed::Follow(size_t server) {
  if (Stopping()) return absl::CancelledError("stopping");
  server_ = server;
  const std::string& url = options_.urls[server];
  const MonotonicTime deadline = clock_.Monotonic() + options_.timeout;
  auto connection = LdapConnection::Open(url, options_.tls, clock_, deadline);
  if (!connection.ok()) return connection.status();
  if (absl::Status bound = BindServiceAccount(**connection, options_, deadline); !bound.ok()) return bound;
  const auto root = ReadRoot(**connection, url, deadline);
  if (!root.ok()) return root.status();
  if (absl::Status chosen = Choose(*root); !chosen.ok()) return chosen;
  if (absl::Status begun = follower_->Begin(**connection, *root, deadline); !begun.ok()) return begun;
  return Follow(**connection);
}

absl::Status LdapFeed::Choose(const LdapRoot& root) {
  Way way = Way::kNone;
  if (LdapNoticeFollower::IsOfferedBy(root)) way = Way::kNotices;
  if (LdapSyncFollower::IsOfferedBy(root)) way = Way::kSync;
  if (way == Way::kNone) {
    return absl::UnavailableError(
        "the directory offers neither content synchronisation (RFC 4533; in OpenLDAP the overlay syncprov) nor Active "
        "Directory's notifications, so `feed` cannot be had there");
  }
  if (way == way_) return absl::OkStatus();
  LdapGroups* groups = groups_count_ ? &groups_ : nullptr;
  if (way == Way::kSync) {
    follower_ = std::make_unique<LdapSyncFollower>(options_.base, accounts_, groups);
  } else {
    follower_ = std::make_unique<LdapNoticeFollower>(options_.base, accounts_, groups, clock_);
  }
  way_ = way;
  return absl::OkStatus();
}

absl::Status LdapFeed::Follow(LdapConnection& connection) {
  Heartbeat heartbeat(clock_, options_.timeout);
  while (!Stopping()) {
    auto event = connection.Next(kSlice);
    if (!event.ok()) return event.status();
    if (event->has_value()) {
      heartbeat.Heard(**event);
      if (absl::Status taken = Take(connection, **event); !taken.ok()) return taken;
    } else if (absl::Status alive = heartbeat.Silence(connection); !alive.ok()) {
      return alive;
    }
  }
  return absl::CancelledError("stopping");
}

absl::Status LdapFeed::Take(LdapConnection& connection, LdapEvent& event) {
  absl::Status taken = follower_->Take(connection, event);
  for (auto& [name, values] : event.entry.attributes) {
    if (!absl::EqualsIgnoreCase(name, kUserPassword)) continue;
    for (std::string& value : values) WipeMemory(value.data(), value.size());
  }
  if (!taken.ok()) return taken;
  if (!follower_->refreshed()) return absl::OkStatus();
  // First: who is asked because of what is told now, has to have heard of it.
  if (!up_) servers_.SetFollowed(server_);
  Tell();
  if (!up_) changes_->FeedUp();
  up_ = true;
  last_failure_.clear();
  return absl::OkStatus();
}

void LdapFeed::Tell() {
  LdapGroups::Changed groups = groups_.TakeChanged();
  accounts_.MarkChanged(std::move(groups.dns));
  const ChangedAccounts changed = accounts_.TakeChanged();
  if (changed.everything || groups.everything) {
    changes_->EverythingChanged();
  } else if (!changed.names.empty()) {
    changes_->AccountsChanged(changed.names);
  }
}

void LdapFeed::Lost(size_t server, const absl::Status& why) {
  const std::string text = absl::StrCat(options_.urls[server], ": ", why.message());
  servers_.SetFollowed(std::nullopt);
  if (up_) changes_->FeedDown(text);
  up_ = false;
  // Each server's trouble once, not each time it is tried.
  if (absl::StrContains(last_failure_, text)) return;
  if (last_failure_.size() > kMostRemembered) last_failure_.clear();
  absl::StrAppend(&last_failure_, text, "\n");
  reporter_.Report(Severity::kWarning, "ldap_feed_failed", text);
}

bool LdapFeed::Wait(absl::Duration duration) {
  const absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&stopping_), duration);
}

bool LdapFeed::Stopping() {
  const absl::MutexLock lock(&mutex_);
  return stopping_;
}

}  // namespace credcache
