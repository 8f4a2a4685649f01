#include "validator/budgeted_validator.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace credcache {

BudgetedValidator::BudgetedValidator(BudgetOptions options, const Shared& shared, std::shared_ptr<Validator> inner)
    : options_(std::move(options)), shared_(shared), inner_(std::move(inner)) {}

void BudgetedValidator::Resolve(const Username& username, MonotonicTime deadline, ResolveDone done) {
  inner_->Resolve(username, deadline, std::move(done));
}

void BudgetedValidator::Validate(const LogOn& log_on, ValidateDone done) {
  if (options_.policy.rejections <= 0) return inner_->Validate(log_on, std::move(done));
  if (log_on.account != nullptr) return ValidateAccount(log_on, std::move(done));
  // What is charged is the account, whatever it was called.
  struct Held {
    Username username;
    Secret password;
    MonotonicTime deadline;
    bool trusted;
    ValidateDone done;
  };
  auto held = std::make_unique<Held>(Held{.username = log_on.username,
                                          .password = Secret(log_on.password),
                                          .deadline = log_on.deadline,
                                          .trusted = log_on.trusted,
                                          .done = std::move(done)});
  const Held& view = *held;
  inner_->Resolve(view.username, view.deadline,
                  [this, held = std::move(held)](absl::StatusOr<std::optional<Account>> resolved) mutable {
                    if (!resolved.ok()) {
                      held->password = Secret();
                      return held->done(WithoutRejection(resolved.status()));
                    }
                    const Account account = resolved->value_or(Account{.name = held->username, .known = false});
                    ValidateDone answer = std::move(held->done);
                    ValidateAccount({.username = held->username,
                                     .password = held->password.view(),
                                     .account = &account,
                                     .deadline = held->deadline,
                                     .trusted = held->trusted},
                                    std::move(answer));
                  });
}

void BudgetedValidator::ValidateAccount(const LogOn& log_on, ValidateDone done) {
  Budget& budget = shared_.budget;
  const Username& account = log_on.account->name;
  Budget::Charged charged = budget.Charge(options_.realm_id, account, options_.policy,
                                          log_on.trusted ? Budget::Claim::kTrusted : Budget::Claim::kStranger);
  if (!charged.attempt.has_value()) {
    if (!options_.dry_run) {
      return done(Verdict{
          .decision = Decision::kThrottled, .throttle = ThrottleReason::kBudget, .retry_after = charged.retry_after});
    }
    shared_.metrics.CountWouldThrottle(ThrottleReason::kBudget);
    shared_.reporter.Report(Severity::kInfo, "throttle_dry_run",
                            absl::StrCat(options_.realm, ": would be throttled: ", Name(ThrottleReason::kBudget)));
    charged = budget.Charge(options_.realm_id, account, options_.policy, Budget::Claim::kDryRun);
    if (!charged.attempt.has_value()) return inner_->Validate(log_on, std::move(done));
  }
  inner_->Validate(log_on,
                   [this, attempt = *charged.attempt, done = std::move(done)](absl::StatusOr<Verdict> verdict) mutable {
                     Settle(attempt, verdict);
                     done(std::move(verdict));
                   });
}

void BudgetedValidator::Settle(const Budget::Attempt& attempt, const absl::StatusOr<Verdict>& verdict) {
  Budget& budget = shared_.budget;
  if (!verdict.ok()) {
    return MayHaveRejected(verdict.status()) ? budget.Rejected(attempt, options_.policy) : budget.GiveBack(attempt);
  }
  switch (verdict->decision) {
    case Decision::kAccepted:
      return budget.Accepted(attempt);
    case Decision::kAccountDisabled:
    case Decision::kPasswordExpired:
    case Decision::kThrottled:
      return budget.GiveBack(attempt);
    case Decision::kUnknownUser:
    case Decision::kWrongPassword:
    case Decision::kLocked:
      return budget.Rejected(attempt, options_.policy);
  }
}

}  // namespace credcache
