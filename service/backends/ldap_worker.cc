#include "backends/ldap_worker.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/ldap_escape.h"
#include "backends/ldap_identity.h"
#include "backends/ldap_service_account.h"
#include "backends/ldap_sigpipe.h"
#include "backends/ldap_time.h"
#include "base/limits.h"

namespace credcache {
namespace {

// A connection that was silent for longer may have been forgotten by a firewall, and would swallow a bind.
constexpr absl::Duration kIdleLimit = absl::Minutes(1);
constexpr absl::Duration kProbeTimeout = absl::Seconds(1);
constexpr const char* kAnyEntry = "(objectClass=*)";
constexpr const char* kCapabilities = "supportedCapabilities";
constexpr const char* kActiveDirectory = "1.2.840.113556.1.4.800";

bool IsDn(const std::string& text) {
  LDAPDN dn = nullptr;
  const bool valid = ldap_str2dn(text.c_str(), &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS;
  ldap_dnfree(dn);
  return valid && absl::StrContains(text, '=');
}

}  // namespace

LdapWorker::LdapWorker(const LdapBackendOptions& options, Servers& servers, LdapTypicalTimes& typical, Clock& clock,
                       Randomness& randomness, Reporter& reporter)
    : options_(options),
      servers_(servers),
      typical_(typical),
      clock_(clock),
      randomness_(randomness),
      reporter_(reporter),
      attributes_(AttributesToRead(options.identity)),
      user_dn_is_dn_(IsDn(ExpandUsername(options.user_dn, "x"))) {}

absl::StatusOr<std::optional<Account>> LdapWorker::Resolve(const NameQuery& query) {
  Begin(query.quarantined);
  return LookUp(query.name, query.deadline);
}

absl::StatusOr<std::optional<Account>> LdapWorker::LookUp(const Username& name, MonotonicTime deadline) {
  const MonotonicTime began = clock_.Monotonic();
  const auto answer = Search({.base = options_.base,
                              .filter = ExpandUsername(options_.filter, EscapeFilterValue(name.view())),
                              .attributes = attributes_,
                              .size_limit = 2},
                             deadline);
  if (!answer.ok()) return answer.status();
  if (answer->code == LDAP_NO_SUCH_OBJECT) {
    return absl::UnavailableError(
        absl::StrCat("base ", options_.base, " is not there, or bind_dn may not see it (", answer->diagnostic, ")"));
  }
  if (answer->code == LDAP_SIZELIMIT_EXCEEDED || answer->entries.size() > 1) {
    // Which of them is meant is anybody's guess. An operator's mistake; to the user it is an unknown name.
    reporter_.Report(Severity::kWarning, "ldap_ambiguous_name",
                     absl::StrCat(options_.urls.front(), ": more than one entry below ", options_.base, " matches ",
                                  options_.filter, " for ", absl::Utf8SafeCHexEscape(name.view())));
    return std::nullopt;
  }
  if (answer->code != LDAP_SUCCESS) {
    return absl::UnavailableError(absl::StrCat("the directory refused the search: ", ldap_err2string(answer->code),
                                               " (", answer->diagnostic, ")"));
  }
  if (answer->entries.empty() || answer->entries.front().dn.empty()) {
    typical_.not_found.Learn(clock_.Monotonic() - began);
    return std::nullopt;
  }
  auto account = AccountOf(answer->entries.front(), options_.identity, name);
  typical_.found.Learn(clock_.Monotonic() - began);
  if (!account.ok()) return WithoutBlame(account.status());
  return account;
}

absl::StatusOr<Verdict> LdapWorker::Validate(const Question& question) {
  Begin(question.quarantined);
  absl::StatusOr<Verdict> verdict = IsDirect(options_) ? ValidateDirectly(question) : ValidateBySearch(question);
  if (!verdict.ok() && !bind_unanswered_) return WithoutRejection(verdict.status());
  return verdict;
}

void LdapWorker::Begin(bool quarantined) {
  KeepSigpipeFromThisThread();
  bind_unanswered_ = false;
  prefer_ = quarantined ? Servers::Prefer::kFollowed : Servers::Prefer::kConfigured;
  kept_ = &usual_;
  if (!quarantined) return;
  const Servers::Choices usual = servers_.Order();
  const Servers::Choices preferred = servers_.Order(prefer_);
  if (!usual.empty() && !preferred.empty() && usual.front().server != preferred.front().server) kept_ = &followed_;
}

absl::StatusOr<Verdict> LdapWorker::ValidateBySearch(const Question& question) {
  LdapLocator found = LdapLocator::Of(question.locator);
  Identity identity = question.identity;
  bool known = question.known;
  if (known && found.dn.empty()) {
    const auto account = LookUp(question.name, question.deadline);
    if (!account.ok()) return account.status();
    known = account->has_value();
    if (known) {
      found = LdapLocator::Of((*account)->locator);
      identity = (*account)->identity;
    }
  }
  if (!known) {
    // Takes as long as a wrong password, and fails as it would fail. What the search took less is made up for here:
    // were it made to wait as well, it would end at the later of two times, and that is later than either.
    const MonotonicTime began = clock_.Monotonic();
    const auto ignored = BindUser(ImpossibleDn(), question.password.view(), question.deadline);
    if (!ignored.ok()) return ignored.status();
    WaitAsLong(typical_.rejection, clock_, began + (typical_.found.Median() - typical_.not_found.Median()),
               question.deadline);
    return Verdict{.decision = Decision::kUnknownUser};
  }
  const MonotonicTime began = clock_.Monotonic();
  const auto decision = BindUser(found.dn, question.password.view(), question.deadline);
  if (!decision.ok()) return decision.status();
  if (*decision == Decision::kWrongPassword) typical_.rejection.Learn(clock_.Monotonic() - began);
  if (*decision == Decision::kLocked) WaitAsLong(typical_.rejection, clock_, began, question.deadline);
  if (*decision != Decision::kAccepted) return Verdict{.decision = *decision};
  if (identity.empty()) {
    auto read = ReadIdentity(found.dn, question.name, question.deadline);
    if (!read.ok()) return read.status();
    identity = *std::move(read);
  }
  if (absl::Status same = SeeSamePassword(found, question.deadline); !same.ok()) return same;
  if (!options_.nested_groups_base.empty()) {
    const auto answer = Search(NestedGroupsOf(found.dn), question.deadline);
    if (!answer.ok()) return answer.status();
    auto with_groups = WithNestedGroups(identity, *answer);
    if (!with_groups.ok()) return with_groups.status();
    identity = *std::move(with_groups);
  }
  return Verdict{
      .decision = Decision::kAccepted, .identity = std::move(identity), .password_stamp = found.password_stamp};
}

absl::StatusOr<Verdict> LdapWorker::ValidateDirectly(const Question& question) {
  const absl::string_view name = question.name.view();
  // In a userPrincipalName nothing can be escaped: a name that would change its domain is nobody's.
  if (!user_dn_is_dn_ && name.find_first_of("@\\") != absl::string_view::npos) {
    return Verdict{.decision = Decision::kUnknownUser};
  }
  const std::string dn = ExpandUsername(options_.user_dn, user_dn_is_dn_ ? EscapeDnValue(name) : std::string(name));
  const auto decision = BindUser(dn, question.password.view(), question.deadline);
  if (!decision.ok()) return decision.status();
  if (*decision != Decision::kAccepted) return Verdict{.decision = *decision};
  Verdict verdict = {.decision = Decision::kAccepted};
  if (absl::Status read = ReadOwnIdentity(dn, question.name, question.deadline, verdict); !read.ok()) return read;
  return verdict;
}

// The stamp is of the moment after the check, since nobody could read it before: who logs on with the old password for
// the first time just when it is changed is taken for somebody with the new one.
absl::Status LdapWorker::ReadOwnIdentity(const std::string& dn, const Username& name, MonotonicTime deadline,
                                         Verdict& verdict) {
  const auto entry = ReadOwnEntry(dn, name, deadline);
  if (!entry.ok()) return entry.status();
  verdict.identity = PlainIdentity(options_.identity, name);
  if (entry->dn.empty()) return absl::OkStatus();
  auto account = AccountOf(*entry, options_.identity, name);
  if (!account.ok()) return WithoutBlame(account.status());
  verdict.identity = std::move(account->identity);
  verdict.password_stamp = PasswordStampIn(*entry);
  if (options_.identity.password_stamp && verdict.password_stamp == 0) ReportNoStamp();
  if (options_.nested_groups_base.empty()) return absl::OkStatus();
  const MonotonicTime asked = clock_.Monotonic();
  const auto answer = kept_->users.connection->Search(NestedGroupsOf(entry->dn), deadline);
  if (!answer.ok()) return Lost(kept_->users, asked, deadline, /*blame=*/true, answer.status());
  auto with_groups = WithNestedGroups(verdict.identity, *answer);
  if (!with_groups.ok()) return with_groups.status();
  verdict.identity = *std::move(with_groups);
  return absl::OkStatus();
}

// On the user's own connection, since there is no other account. Without a DN: the user may not see it, or there is
// more than one.
absl::StatusOr<LdapEntry> LdapWorker::ReadOwnEntry(const std::string& dn, const Username& name,
                                                   MonotonicTime deadline) {
  LdapSearch search = {.base = dn, .scope = LDAP_SCOPE_BASE, .filter = kAnyEntry, .attributes = attributes_};
  if (!user_dn_is_dn_) {
    if (options_.base.empty()) return LdapEntry();
    // Who has no principal's name is known to Active Directory by the account's name, in the domain's own.
    const std::string account = EscapeFilterValue(name.view());
    search = {.base = options_.base,
              .filter = absl::StrCat("(|(userPrincipalName=", EscapeFilterValue(dn), ")(&(sAMAccountName=", account,
                                     ")(!(userPrincipalName=*))))"),
              .attributes = attributes_,
              .size_limit = 2};
  }
  const MonotonicTime asked = clock_.Monotonic();
  auto answer = kept_->users.connection->Search(search, deadline);
  if (!answer.ok()) return Lost(kept_->users, asked, deadline, /*blame=*/true, answer.status());
  // Who may not read its own entry is known by name alone; who cannot at this moment must not be.
  if (IsServerTrouble(answer->code)) {
    return absl::UnavailableError(absl::StrCat("reading the user's entry: ", ldap_err2string(answer->code)));
  }
  return answer->entries.size() == 1 ? std::move(answer->entries.front()) : LdapEntry();
}

// A stamp that was read before the check says nothing of a password that was changed between the two.
absl::Status LdapWorker::SeeSamePassword(const LdapLocator& found, MonotonicTime deadline) {
  if (!options_.identity.password_stamp) return absl::OkStatus();
  if (found.password_stamp == 0) {
    ReportNoStamp();
    return absl::OkStatus();
  }
  const auto answer = Search(
      {.base = found.dn, .scope = LDAP_SCOPE_BASE, .filter = kAnyEntry, .attributes = {"pwdLastSet", "pwdChangedTime"}},
      deadline);
  if (!answer.ok()) return answer.status();
  if (answer->entries.size() == 1 && PasswordStampIn(answer->entries.front()) == found.password_stamp) {
    return absl::OkStatus();
  }
  return WithoutBlame(absl::UnavailableError("the account was changed while its password was checked"));
}

void LdapWorker::ReportNoStamp() const {
  reporter_.Report(
      Severity::kWarning, "ldap_no_stamp",
      absl::StrCat(options_.urls.front(),
                   ": `retire` cannot be had of every account, since neither pwdLastSet nor pwdChangedTime "
                   "is shown"));
}

LdapSearch LdapWorker::NestedGroupsOf(const std::string& dn) const {
  return {.base = options_.nested_groups_base,
          .filter = absl::StrCat("(member:1.2.840.113556.1.4.1941:=", EscapeFilterValue(dn), ")"),
          .attributes = {"1.1"},
          .size_limit = static_cast<int>(kMaxGroups) + 1};
}

absl::StatusOr<Identity> LdapWorker::WithNestedGroups(const Identity& identity, const LdapSearchAnswer& answer) const {
  // A part of the groups would be taken for all of them.
  if (answer.code != LDAP_SUCCESS) {
    return WithoutBlame(absl::UnavailableError(
        absl::StrCat("searching for the user's groups: ", ldap_err2string(answer.code), " (", answer.diagnostic, ")")));
  }
  std::vector<std::string> groups;
  groups.reserve(answer.entries.size());
  for (const LdapEntry& entry : answer.entries) groups.push_back(entry.dn);
  auto with_groups = WithGroups(identity, std::move(groups));
  if (!with_groups.ok()) return WithoutBlame(with_groups.status());
  return with_groups;
}

absl::StatusOr<Identity> LdapWorker::ReadIdentity(const std::string& dn, const Username& name, MonotonicTime deadline) {
  const auto answer =
      Search({.base = dn, .scope = LDAP_SCOPE_BASE, .filter = kAnyEntry, .attributes = attributes_}, deadline);
  if (!answer.ok()) return answer.status();
  if (answer->entries.size() != 1) return PlainIdentity(options_.identity, name);
  auto account = AccountOf(answer->entries.front(), options_.identity, name);
  if (!account.ok()) return WithoutBlame(account.status());
  return std::move(account->identity);
}

std::string LdapWorker::ImpossibleDn() {
  std::array<uint8_t, 12> bytes;
  randomness_.Fill(bytes);
  const std::string random =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  return absl::StrCat("cn=nobody-", random, options_.base.empty() ? "" : ",", options_.base);
}

absl::StatusOr<Decision> LdapWorker::BindUser(const std::string& dn, SecretView password, MonotonicTime deadline) {
  for (int attempt = 0;; ++attempt) {
    const absl::Status connected = Connect(kept_->users, Role::kUsers, deadline);
    if (!connected.ok()) return connected;
    const MonotonicTime asked = clock_.Monotonic();
    // Such a server takes "secret\0x" for "secret": as many passwords as one likes, each new to whoever remembers what
    // was right (`retire`). It is none of them; the bind is for the time that it takes.
    const bool is_none = kept_->users.ends_passwords_at_nul && absl::StrContains(password.Expose(), '\0');
    const auto answer = kept_->users.connection->Bind(is_none ? ImpossibleDn() : dn, password, deadline);
    if (!answer.ok()) {
      const bool nothing_sent = absl::IsAborted(answer.status());
      bind_unanswered_ = !nothing_sent;
      const absl::Status lost = Lost(kept_->users, asked, deadline, /*blame=*/!nothing_sent, answer.status());
      if (nothing_sent && attempt == 0) continue;
      return lost;
    }
    kept_->users.last_used = clock_.Monotonic();
    auto decision = DecisionOf(*answer);
    if (decision.ok()) return is_none ? Decision::kWrongPassword : decision;
    if (IsServerTrouble(answer->code)) return Lost(kept_->users, asked, deadline, /*blame=*/true, decision.status());
    return WithoutBlame(At(kept_->users.server, decision.status()));
  }
}

absl::StatusOr<LdapSearchAnswer> LdapWorker::Search(const LdapSearch& search, MonotonicTime deadline) {
  absl::Status failure;
  // A kept connection may prove dead, and after that each server once.
  for (size_t attempt = 0; attempt <= servers_.size(); ++attempt) {
    const absl::Status connected = Connect(kept_->search, Role::kSearch, deadline);
    if (!connected.ok()) return connected;
    const MonotonicTime asked = clock_.Monotonic();
    // While there is another server to ask, it gets half of the time that is left.
    const bool last = servers_.size() == 1 || attempt == servers_.size();
    const MonotonicTime until = last ? deadline : asked + (deadline - asked) / 2;
    auto answer = kept_->search.connection->Search(search, until);
    if (absl::IsInvalidArgument(answer.status())) return absl::UnavailableError(answer.status().message());
    if (answer.ok() && !IsServerTrouble(answer->code)) {
      kept_->search.last_used = clock_.Monotonic();
      return answer;
    }
    failure = answer.ok() ? absl::UnavailableError(ldap_err2string(answer->code)) : answer.status();
    // A connection that was kept may have died long ago; what the server is worth, the next one tells.
    const bool blame = kept_->search.fresh || clock_.Monotonic() >= until || answer.ok();
    failure = Lost(kept_->search, asked, until, blame, failure);
    if (clock_.Monotonic() >= deadline) break;
  }
  return failure;
}

absl::Status LdapWorker::Connect(Kept& kept, Role role, MonotonicTime deadline) {
  const Servers::Choices choices = servers_.Order(prefer_);
  if (choices.empty()) return absl::UnavailableError(servers_.why());
  const MonotonicTime now = clock_.Monotonic();
  if (kept.connection != nullptr) {
    const Servers::Choice& best = choices.front();
    if (kept.server == best.server && kept.generation == best.generation && now - kept.last_used < kIdleLimit &&
        kept.connection->LooksAlive()) {
      kept.fresh = false;
      return absl::OkStatus();
    }
    kept.connection.reset();
  }
  absl::Status failure;
  for (size_t i = 0; i < choices.size(); ++i) {
    const MonotonicTime start = clock_.Monotonic();
    if (start >= deadline) break;
    const MonotonicTime until = start + (deadline - start) / static_cast<int64_t>(choices.size() - i);
    Servers::Failure kind = Servers::Failure::kUnreachable;
    auto opened = Open(choices[i], role, until, &kind);
    if (opened.ok()) {
      servers_.MarkUp(choices[i].server);
      kept = *std::move(opened);
      return absl::OkStatus();
    }
    failure = At(choices[i].server, opened.status());
    if (WasFair(start, until, static_cast<int64_t>(choices.size()))) {
      servers_.MarkDown(choices[i].server, kind, opened.status().message());
    }
  }
  if (failure.ok()) return WithoutBlame(absl::UnavailableError("no time is left to connect to the directory"));
  return servers_.AnyUp() ? WithoutBlame(failure) : failure;
}

// Connects, and has the server answer something: a machine may take connections for a server that does nothing.
absl::StatusOr<LdapWorker::Kept> LdapWorker::Open(const Servers::Choice& choice, Role role, MonotonicTime deadline,
                                                  Servers::Failure* failure) {
  auto connection = LdapConnection::Open(servers_.url(choice.server), options_.tls, clock_, deadline);
  if (!connection.ok()) return connection.status();
  Kept kept = {.connection = *std::move(connection),
               .server = choice.server,
               .generation = choice.generation,
               .last_used = clock_.Monotonic(),
               .fresh = true};
  if (role == Role::kSearch && !options_.bind_dn.empty()) {
    const absl::Status bound = BindServiceAccount(*kept.connection, options_, deadline);
    if (absl::IsPermissionDenied(bound)) *failure = Servers::Failure::kRefused;
    if (!bound.ok()) return bound;
    return kept;
  }
  // Whatever it answers: that it answers is what counts.
  const auto answer = kept.connection->Search(
      {.base = "", .scope = LDAP_SCOPE_BASE, .filter = kAnyEntry, .attributes = {kCapabilities}}, deadline);
  if (!answer.ok()) return answer.status();
  const auto* capabilities = answer->entries.empty() ? nullptr : answer->entries.front().Find(kCapabilities);
  kept.ends_passwords_at_nul = capabilities != nullptr && std::find(capabilities->begin(), capabilities->end(),
                                                                    kActiveDirectory) != capabilities->end();
  return kept;
}

// Gives the connection up. `blame`: the server is marked down, unless it had no fair chance to answer.
absl::Status LdapWorker::Lost(Kept& kept, MonotonicTime asked, MonotonicTime deadline, bool blame,
                              const absl::Status& status) {
  kept.connection.reset();
  if (blame && WasFair(asked, deadline, /*shares=*/1)) {
    servers_.MarkDown(kept.server, Servers::Failure::kUnreachable, status.message());
  }
  const absl::Status failure = At(kept.server, absl::UnavailableError(status.message()));
  return servers_.AnyUp() ? WithoutBlame(failure) : failure;
}

// Whether a failure between `asked` and now is the server's, rather than that of a caller with hardly any time left.
bool LdapWorker::WasFair(MonotonicTime asked, MonotonicTime deadline, int64_t shares) const {
  const MonotonicTime now = clock_.Monotonic();
  return now < deadline || now - asked >= options_.timeout / (3 * shares);
}

absl::Status LdapWorker::At(size_t server, const absl::Status& status) const {
  return absl::UnavailableError(absl::StrCat(servers_.url(server), ": ", status.message()));
}

void LdapWorker::Rest() {
  KeepSigpipeFromThisThread();
  const auto server = servers_.ClaimProbe();
  if (!server) return;
  const Role role = IsDirect(options_) ? Role::kUsers : Role::kSearch;
  Servers::Failure failure = Servers::Failure::kUnreachable;
  const auto opened =
      Open({.server = *server}, role, clock_.Monotonic() + std::min(options_.timeout, kProbeTimeout), &failure);
  if (opened.ok()) {
    servers_.MarkUp(*server);
  } else {
    servers_.MarkDown(*server, failure, opened.status().message());
  }
}

}  // namespace credcache
