#include "validator/shielded_validator.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace credcache {

// A log-on that was let through, until it is answered. One is kept for the thread's next: nearly all are answered at
// once, and a callback that held all this by itself would have to allocate.
class ShieldedValidator::Pending final : public MissObserver {
 public:
  static Pending* Take(ShieldedValidator& owner, const Shield::Attempt& attempt, ValidateDone done) {
    std::unique_ptr<Pending> taken = Spare() != nullptr ? std::move(Spare()) : std::make_unique<Pending>();
    taken->owner_ = &owner;
    taken->attempt_ = attempt;
    taken->missed_.reset();
    taken->done_ = std::move(done);
    return taken.release();
  }

  bool Missed(uint32_t password_tag) override {
    missed_ = password_tag;
    Shield& shield = owner_->shared_.shield;
    shield.Guessed(attempt_, password_tag, owner_->options_.policy);
    return shield.IsKnown(attempt_, owner_->options_.policy);
  }

  void Answer(absl::StatusOr<Verdict>&& verdict) {
    if (verdict.ok()) Learn(*verdict);
    ValidateDone done = std::move(done_);
    Spare() = std::unique_ptr<Pending>(this);
    done(std::move(verdict));
  }

 private:
  // An error leaves what was guessed counted: while the backend is down, only a right guess would be told.
  void Learn(const Verdict& verdict) {
    Shield& shield = owner_->shared_.shield;
    const ThrottlePolicy& policy = owner_->options_.policy;
    switch (verdict.decision) {
      case Decision::kAccepted:
        shield.Succeeded(owner_->AsAccepted(attempt_, verdict));
        break;
      case Decision::kAccountDisabled:
      case Decision::kPasswordExpired:
        break;
      case Decision::kUnknownUser:
      case Decision::kWrongPassword:
      case Decision::kLocked:
      case Decision::kThrottled:  // by the budget: a guess all the same
        if (!missed_.has_value()) shield.Guessed(attempt_, verdict.password_tag, policy);
        return shield.Failed(attempt_, policy);
    }
    if (missed_.has_value()) shield.ProvedRight(attempt_, *missed_, policy);
  }

  static std::unique_ptr<Pending>& Spare() {
    thread_local std::unique_ptr<Pending> spare;
    return spare;
  }

  ShieldedValidator* owner_ = nullptr;
  Shield::Attempt attempt_;
  std::optional<uint32_t> missed_;  // the tag
  ValidateDone done_;
};

ShieldedValidator::ShieldedValidator(ShieldOptions options, const Shared& shared, std::unique_ptr<Validator> inner)
    : options_(std::move(options)), shared_(shared), inner_(std::move(inner)) {}

void ShieldedValidator::Resolve(const NameQuery& query, ResolveDone done) { inner_->Resolve(query, std::move(done)); }

void ShieldedValidator::Validate(const LogOn& log_on, ValidateDone done) {
  const MonotonicTime now =
      log_on.asked_at == MonotonicTime::InfiniteFuture() ? shared_.clock.Monotonic() : log_on.asked_at;
  LogOn observed = log_on;
  if (observed.name_hash == 0) observed.name_hash = Expect(log_on.username);
  Shield::Attempt attempt = Begin(observed, now);
  if (const auto refusal = shared_.shield.Refuses(attempt, options_.policy)) {
    if (!options_.policy.dry_run) {
      return done(Verdict{.decision = Decision::kThrottled,
                          .source = Source::kNone,
                          .validated_at = shared_.clock.WallTime(now, now),
                          .throttle = refusal->reason,
                          .retry_after = refusal->retry_after});
    }
    shared_.metrics.CountWouldThrottle(refusal->reason);
    shared_.reporter.Report(Severity::kInfo, "throttle_dry_run",
                            absl::StrCat(options_.realm, ": would be throttled: ", Name(refusal->reason)));
  }
  Pending* const pending = Pending::Take(*this, attempt, std::move(done));
  observed.misses = pending;
  inner_->Validate(observed, [pending](absl::StatusOr<Verdict>&& verdict) { pending->Answer(std::move(verdict)); });
}

Shield::Attempt ShieldedValidator::Begin(const LogOn& log_on, MonotonicTime now) const {
  std::optional<Username> account;
  if (shared_.cache != nullptr) {
    account = shared_.cache->FindCanonicalName({options_.realm_id, log_on.username, log_on.name_hash},
                                               options_.cache_policy, now);
  }
  return shared_.shield.Begin(account.has_value() ? Expect(*account) : log_on.name_hash, log_on.client_address,
                              options_.policy, now);
}

uint64_t ShieldedValidator::Expect(const Username& name) const {
  return shared_.cache != nullptr ? shared_.cache->Locate({options_.realm_id, name})
                                  : shared_.shield.HashOf(options_.realm_id, name);
}

Shield::Attempt ShieldedValidator::AsAccepted(const Shield::Attempt& attempt, const Verdict& verdict) const {
  if (verdict.source == Source::kCache) return attempt;  // the cache knew the name
  const absl::StatusOr<Username> account = Username::Normalize(verdict.identity.username(), options_.case_rule);
  return account.ok() ? shared_.shield.As(Expect(*account), attempt) : attempt;
}

}  // namespace credcache
