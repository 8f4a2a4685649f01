#include "backends/ldap_feed.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "backends/ldap_service_account.h"
#include "backends/ldap_sigpipe.h"

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
constexpr const char* kAnyEntry = "(objectClass=*)";
constexpr const char* kUserPassword = "userPassword";

LdapSearch RootDse(std::vector<std::string> attributes) {
  return {.base = "", .scope = LDAP_SCOPE_BASE, .filter = kAnyEntry, .attributes = std::move(attributes)};
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
    const auto question = connection.BeginSearch(RootDse({"1.1"}), "");
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

LdapFeed::LdapFeed(const LdapBackendOptions& options, Clock& clock, Randomness& randomness, Reporter& reporter,
                   std::shared_ptr<ChangeListener> changes)
    : options_(options),
      clock_(clock),
      randomness_(randomness),
      reporter_(reporter),
      changes_(std::move(changes)),
      fingerprinter_(randomness),
      accounts_(options.identity, options.filter, fingerprinter_) {
  watches_.push_back(
      {.search = {.base = options.base, .filter = kAnyEntry, .attributes = accounts_.attributes(), .size_limit = 0},
       .sync = LdapSync(accounts_)});
  if (absl::EqualsIgnoreCase(options.identity.groups, "memberOf")) {
    watches_.push_back(
        {.search = {.filter = LdapGroups::kFilter, .attributes = LdapGroups::Attributes(), .size_limit = 0},
         .sync = LdapSync(groups_)});
  }
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
      const absl::Status why = Follow(options_.urls[i]);
      if (Stopping()) return;
      was_up = was_up || up_;
      Lost(options_.urls[i], why);
      if (absl::IsPermissionDenied(why)) not_before[i] = clock_.Monotonic() + kRefusedDelay;
    }
    if (was_up) delay = kFirstDelay;
    // Many that lost the same server must not come back as one.
    const auto spread = static_cast<uint64_t>(absl::ToInt64Microseconds(delay) / 2);
    if (Wait(delay / 2 + absl::Microseconds(randomness_.Below(spread + 1)))) return;
    delay = std::min(delay * 2, kLongestDelay);
  }
}

absl::Status LdapFeed::Follow(const std::string& url) {
  if (Stopping()) return absl::CancelledError("stopping");
  const MonotonicTime deadline = clock_.Monotonic() + options_.timeout;
  auto connection = LdapConnection::Open(url, options_.tls, clock_, deadline);
  if (!connection.ok()) return connection.status();
  if (absl::Status bound = BindServiceAccount(**connection, options_, deadline); !bound.ok()) return bound;
  if (absl::Status fit = Examine(**connection, deadline); !fit.ok()) return fit;
  return Follow(**connection, url);
}

absl::Status LdapFeed::Follow(LdapConnection& connection, const std::string& url) {
  for (Watch& watch : watches_) {
    const auto begun = connection.BeginSearch(watch.search, watch.sync.Begin(url));
    if (!begun.ok()) return begun.status();
    watch.message_id = *begun;
  }
  Heartbeat heartbeat(clock_, options_.timeout);
  while (!Stopping()) {
    auto event = connection.Next(kSlice);
    if (!event.ok()) return event.status();
    if (event->has_value()) {
      heartbeat.Heard(**event);
      if (absl::Status taken = Take(**event); !taken.ok()) return taken;
    } else if (absl::Status alive = heartbeat.Silence(connection); !alive.ok()) {
      return alive;
    }
  }
  return absl::CancelledError("stopping");
}

absl::Status LdapFeed::Examine(LdapConnection& connection, MonotonicTime deadline) {
  const auto answer = connection.Search(RootDse({"supportedControl", "namingContexts"}), deadline);
  if (!answer.ok()) return absl::UnavailableError(answer.status().message());
  const LdapEntry entry = answer->entries.empty() ? LdapEntry() : answer->entries.front();
  const auto* controls = entry.Find("supportedControl");
  if (controls == nullptr || std::find(controls->begin(), controls->end(), LDAP_CONTROL_SYNC) == controls->end()) {
    return absl::UnavailableError(
        "the directory does not offer content synchronisation (RFC 4533; in OpenLDAP the overlay syncprov), so `feed` "
        "cannot be had there");
  }
  if (watches_.size() == 1) return absl::OkStatus();
  // Groups are anywhere in the naming context that holds the people.
  std::string& base = watches_.back().search.base;
  base = options_.base;
  const std::string people = ComparableDn(options_.base);
  const auto* contexts = entry.Find("namingContexts");
  if (contexts == nullptr) return absl::OkStatus();
  for (const std::string& context : *contexts) {
    const std::string comparable = ComparableDn(context);
    if (people == comparable || absl::EndsWith(people, "," + comparable)) base = context;
  }
  return absl::OkStatus();
}

absl::Status LdapFeed::Take(LdapEvent& event) {
  const auto watch = std::find_if(watches_.begin(), watches_.end(),
                                  [&event](const Watch& one) { return one.message_id == event.message_id; });
  if (watch == watches_.end()) return absl::OkStatus();  // a heartbeat's
  absl::Status taken = watch->sync.Take(event);
  for (auto& [name, values] : event.entry.attributes) {
    if (!absl::EqualsIgnoreCase(name, kUserPassword)) continue;
    for (std::string& value : values) WipeMemory(value.data(), value.size());
  }
  if (!taken.ok()) return taken;
  if (!std::all_of(watches_.begin(), watches_.end(), [](const Watch& one) { return one.sync.refreshed(); })) {
    return absl::OkStatus();
  }
  Tell();
  if (!up_) changes_->FeedUp();
  up_ = true;
  last_failure_.clear();
  return absl::OkStatus();
}

void LdapFeed::Tell() {
  accounts_.MarkChanged(groups_.TakeChanged());
  const ChangedAccounts changed = accounts_.TakeChanged();
  if (changed.everything) {
    changes_->EverythingChanged();
  } else if (!changed.names.empty()) {
    changes_->AccountsChanged(changed.names);
  }
}

void LdapFeed::Lost(const std::string& url, const absl::Status& why) {
  const std::string text = absl::StrCat(url, ": ", why.message());
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
