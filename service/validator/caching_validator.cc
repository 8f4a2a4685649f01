#include "validator/caching_validator.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/limits.h"

namespace credcache {
namespace {

// Tells passwords of one account apart, and nothing else: the digest is of this process's key.
uint32_t TagOf(const Digest& digest) {
  uint32_t tag = 0;
  std::memcpy(&tag, digest.bytes().data(), sizeof(tag));
  return tag;
}

// Tells whoever wants to know. Returns LogOn::trusted, which they may know better.
bool TellMiss(const LogOn& log_on, uint32_t password_tag) {
  return log_on.misses != nullptr ? log_on.misses->Missed(password_tag) : log_on.trusted;
}

MonotonicTime DeadlineOf(const Flight& flight) { return flight.began + kMaxFlightDuration; }

}  // namespace

CachingValidator::CachingValidator(CachingOptions options, const Shared& shared, RealmMetrics& metrics,
                                   std::shared_ptr<Validator> inner)
    : options_(std::move(options)),
      feed_down_policy_(options_.policy.WhileFeedIsDown()),
      shared_(shared),
      metrics_(metrics),
      inner_(std::move(inner)) {}

CachingValidator::~CachingValidator() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](int* under_way) { return *under_way == 0; }, &under_way_));
}

void CachingValidator::Resolve(const NameQuery& query, ResolveDone done) { inner_->Resolve(query, std::move(done)); }

void CachingValidator::Validate(const LogOn& log_on, ValidateDone done) {
  if (shared_.cache == nullptr) return ValidateUncached(log_on, std::move(done));

  const auto digest_of = [&](const Username& account) { return DigestOf(account, log_on.password); };
  Cache::LookedUp looked_up = shared_.cache->LookUp({options_.realm_id, log_on.username, log_on.name_hash}, digest_of,
                                                    policy(), log_on.max_age, log_on.asked_at);
  const Username& account = looked_up.known_as.has_value() ? *looked_up.known_as : log_on.username;
  const Digest& digest = looked_up.digest;
  Finding& finding = looked_up.finding;
  if (finding.kind != Finding::Kind::kMiss) {
    CountHit(finding);
    if (finding.refresh_due) BeginRefresh(log_on, account, digest);
    return done(FromFinding(std::move(finding), digest, Source::kCache));
  }
  const bool trusted = TellMiss(log_on, TagOf(digest));
  if (std::optional<Verdict> wrong = RejectUnasked(finding, account, digest)) return done(*std::move(wrong));

  const std::shared_ptr<Flight> flight = NewFlight(log_on, account, digest, /*refresh=*/false, trusted);
  std::optional<Waiter> waiter = Waiter{.done = std::move(done), .max_age = log_on.max_age};
  const auto joinable = [&](const Flight& other) { return MayJoin(other, log_on.username, log_on.max_age); };
  if (shared_.flights.JoinOrList(digest, joinable, flight, waiter)) {
    metrics_.CountMiss(finding.reason);
    metrics_.CountCoalesced();
    return;
  }

  // A flight may have landed between the look-up and the listing: it filled the cache before it left the table, so a
  // second look finds what it brought, and equal log-ons cause one validation, not two.
  finding = shared_.cache->Find(Key(account), digest, policy(), log_on.max_age);
  if (finding.kind != Finding::Kind::kMiss) return AnswerFromCache(flight, finding);
  metrics_.CountMiss(finding.reason);
  Begin(flight);
}

Digest CachingValidator::DigestOf(const Username& account, SecretView password) const {
  return shared_.digester.Compute(options_.realm, account.view(), password);
}

bool CachingValidator::MayJoin(const Flight& flight, const Username& asked,
                               std::optional<absl::Duration> max_age) const {
  if (max_age.has_value()) {
    if (*max_age == absl::ZeroDuration()) return false;
    if (shared_.clock.Monotonic() - flight.began > *max_age) return false;
  }
  return !shared_.cache->IsFenced(flight.asked, Key(flight.account), flight.revision) &&
         !shared_.cache->IsFenced(asked, Key(flight.account), flight.revision);
}

void CachingValidator::CountHit(const Finding& finding) {
  if (finding.kind == Finding::Kind::kAccepted) {
    metrics_.CountHit();
  } else {
    metrics_.CountNegativeHit();
  }
}

Verdict CachingValidator::FromFinding(Finding&& finding, const Digest& digest, Source source) const {
  return {.decision = finding.kind == Finding::Kind::kAccepted ? Decision::kAccepted : Decision::kWrongPassword,
          .identity = std::move(finding.identity),
          .source = source,
          .validated_at = shared_.clock.WallTime(finding.validated_at, finding.found_at),
          .expires_at = shared_.clock.WallTime(finding.expires_at, finding.found_at),
          .revision = finding.revision,
          .password_tag = TagOf(digest)};
}

std::optional<Verdict> CachingValidator::RejectUnasked(const Finding& finding, const Username& account,
                                                       const Digest& digest) {
  if (finding.known_wrong == Finding::Wrong::kNo || shared_.budget == nullptr) return std::nullopt;
  const absl::Duration askable_in = shared_.budget->ConfirmableIn(options_.realm_id, account, options_.budget);
  if (askable_in == absl::ZeroDuration()) return std::nullopt;
  if (finding.known_wrong == Finding::Wrong::kLately) {
    metrics_.CountNegativeHit();
    return FromFinding(Finding(finding), digest, Source::kCache);
  }
  // Whoever asks wants no answer that is as old as ours.
  metrics_.CountMiss(finding.reason);
  return Verdict{.decision = Decision::kThrottled,
                 .source = Source::kNone,
                 .validated_at = shared_.clock.Now(),
                 .password_tag = TagOf(digest),
                 .throttle = ThrottleReason::kBudget,
                 .retry_after = askable_in};
}

// --- without a cache

void CachingValidator::ValidateUncached(const LogOn& log_on, ValidateDone done) {
  metrics_.CountMiss(MissReason::kDisabled);
  const Revision revision = shared_.revisions.Applied();
  const absl::Time began = shared_.clock.Now();
  const uint32_t tag = TagOf(DigestOf(log_on.username, log_on.password));
  LogOn told = log_on;
  told.trusted = TellMiss(log_on, tag);
  told.misses = nullptr;
  inner_->Validate(told, [revision, began, tag, done = std::move(done)](absl::StatusOr<Verdict> verdict) mutable {
    if (verdict.ok()) {
      verdict->source = verdict->decision == Decision::kThrottled ? Source::kNone : Source::kBackend;
      verdict->password_tag = tag;
      verdict->validated_at = began;
      verdict->revision = revision;
    }
    done(std::move(verdict));
  });
}

// --- flights

std::shared_ptr<Flight> CachingValidator::NewFlight(const LogOn& log_on, const Username& account, const Digest& digest,
                                                    bool refresh, bool trusted) {
  return std::make_shared<Flight>(Flight{.asked = log_on.username,
                                         .began = shared_.clock.Monotonic(),
                                         .began_wall = shared_.clock.Now(),
                                         .revision = shared_.revisions.Applied(),
                                         .refresh = refresh,
                                         .trusted = trusted,
                                         .quarantined = shared_.cache->IsQuarantined(log_on.username, Key(account)),
                                         .password = Secret(log_on.password),
                                         .account = account,
                                         .digest = digest});
}

void CachingValidator::BeginRefresh(const LogOn& log_on, const Username& account, const Digest& digest) {
  const std::shared_ptr<Flight> flight = NewFlight(log_on, account, digest, /*refresh=*/true, /*trusted=*/true);
  std::optional<Waiter> nobody;
  const auto joinable = [&](const Flight& other) { return MayJoin(other, log_on.username, std::nullopt); };
  if (shared_.flights.JoinOrList(digest, joinable, flight, nobody)) return;  // it is being validated as it is
  metrics_.CountRefresh();
  Begin(flight);
}

void CachingValidator::Begin(const std::shared_ptr<Flight>& flight) {
  {
    absl::MutexLock lock(&mutex_);
    ++under_way_;
  }
  Resolve(flight);
}

void CachingValidator::Resolve(const std::shared_ptr<Flight>& flight) {
  inner_->Resolve(
      {.name = flight->asked, .deadline = DeadlineOf(*flight), .quarantined = flight->quarantined},
      [this, flight](absl::StatusOr<std::optional<Account>> resolved) { AfterResolve(flight, std::move(resolved)); });
}

void CachingValidator::AfterResolve(const std::shared_ptr<Flight>& flight,
                                    absl::StatusOr<std::optional<Account>> resolved) {
  if (!resolved.ok()) return Land(flight, resolved.status());
  // Nobody of that name: the name stands for itself, and the validator does the work of a wrong password for it.
  const Account account = resolved->value_or(Account{.name = flight->asked, .known = false});
  if (!flight->quarantined && shared_.cache->IsQuarantined(flight->asked, Key(account.name))) {
    // By a name that the cache did not know: who was asked may not have heard of the change.
    flight->quarantined = true;
    return Resolve(flight);
  }
  if (!(account.name == flight->account) && SettledAs(flight, account.name)) return;

  inner_->Validate({.username = flight->asked,
                    .password = flight->password.view(),
                    .account = &account,
                    .deadline = DeadlineOf(*flight),
                    .trusted = flight->trusted,
                    .quarantined = flight->quarantined},
                   [this, flight](absl::StatusOr<Verdict> verdict) { Land(flight, std::move(verdict)); });
}

bool CachingValidator::SettledAs(const std::shared_ptr<Flight>& flight, const Username& account) {
  const std::optional<absl::Duration> max_age = shared_.flights.StrictestMaxAge(flight);
  const Digest digest = DigestOf(account, flight->password.view());
  const auto joinable = [&](const Flight& other) { return MayJoin(other, flight->asked, max_age); };
  if (shared_.flights.MergeOrList(account, digest, joinable, flight)) {
    flight->password = Secret();
    EndOne();
    return true;
  }
  // A refresh was begun to get past what the cache holds.
  if (flight->refresh) return false;
  const Finding finding = shared_.cache->Find(Key(account), digest, policy(), max_age);
  if (std::optional<Verdict> wrong = RejectUnasked(finding, account, digest)) {
    flight->password = Secret();
    for (Waiter& waiter : shared_.flights.Land(flight)) waiter.done(*wrong);
    EndOne();
    return true;
  }
  if (finding.kind == Finding::Kind::kMiss) return false;
  shared_.cache->LearnName(flight->asked, Key(account), flight->began, flight->revision, policy());
  AnswerFromCache(flight, finding);
  EndOne();
  return true;
}

void CachingValidator::AnswerFromCache(const std::shared_ptr<Flight>& flight, const Finding& finding) {
  flight->password = Secret();
  for (Waiter& waiter : shared_.flights.Land(flight)) {
    CountHit(finding);
    waiter.done(FromFinding(Finding(finding), flight->digest, Source::kCache));
  }
}

void CachingValidator::Land(const std::shared_ptr<Flight>& flight, absl::StatusOr<Verdict> verdict) {
  const bool asked = verdict.ok() && verdict->decision != Decision::kThrottled;
  if (verdict.ok()) {
    verdict->validated_at = flight->began_wall;
    verdict->revision = flight->revision;
    verdict->password_tag = TagOf(flight->digest);
    const bool kept = asked && Remember(*flight, *verdict) == FillOutcome::kFilled;
    if (kept && verdict->decision == Decision::kAccepted) {
      verdict->expires_at =
          std::min(flight->began_wall + policy().age_limit, shared_.clock.Now() + policy().idle_limit);
    }
  }
  flight->password = Secret();  // before others hear of the answer, not when the last of them lets go of the flight
  // Filled first, off the table then: in between nobody finds neither.
  for (Waiter& waiter : shared_.flights.Land(flight)) {
    if (!verdict.ok()) {
      AnswerStale(*flight, verdict.status(), std::move(waiter));
      continue;
    }
    Verdict answer = *verdict;
    answer.source = !asked ? Source::kNone : waiter.joined ? Source::kCoalesced : Source::kBackend;
    waiter.done(std::move(answer));
  }
  EndOne();
}

FillOutcome CachingValidator::Remember(const Flight& flight, const Verdict& verdict) {
  Username account = flight.account;
  Digest digest = flight.digest;
  FillRequest::Verdict fill = FillRequest::Verdict::kNotCachable;
  switch (verdict.decision) {
    case Decision::kAccepted: {
      fill = FillRequest::Verdict::kAccepted;
      // Some directories tell the canonical name only to who has logged on.
      const absl::StatusOr<Username> canonical = Username::Normalize(verdict.identity.username(), options_.case_rule);
      if (canonical.ok() && !(*canonical == account)) {
        account = *canonical;
        digest = DigestOf(account, flight.password.view());
      }
      break;
    }
    case Decision::kUnknownUser:
    case Decision::kWrongPassword:
      fill = FillRequest::Verdict::kRejected;
      break;
    case Decision::kLocked:
    case Decision::kAccountDisabled:
    case Decision::kPasswordExpired:
    case Decision::kThrottled:
      break;
  }
  return shared_.cache->Fill({.asked = flight.asked,
                              .account = Key(account),
                              .digest = digest,
                              .verdict = fill,
                              .identity = verdict.identity,
                              .validated_at = flight.began,
                              .revision = flight.revision,
                              .refresh = flight.refresh},
                             policy());
}

void CachingValidator::EndOne() {
  absl::MutexLock lock(&mutex_);
  --under_way_;
}

void CachingValidator::AnswerStale(const Flight& flight, const absl::Status& error, Waiter waiter) {
  if (policy().stale_grace > absl::ZeroDuration()) {
    Finding finding = shared_.cache->FindStale(Key(flight.account), flight.digest, policy(), waiter.max_age);
    if (finding.kind == Finding::Kind::kAccepted) {
      metrics_.CountStale();
      return waiter.done(FromFinding(std::move(finding), flight.digest, Source::kStale));
    }
  }
  waiter.done(error);
}

}  // namespace credcache
