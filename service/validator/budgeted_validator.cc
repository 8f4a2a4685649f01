#include "validator/budgeted_validator.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace credcache {

// A log-on that may have to wait for others of its account, with a copy of what the views in LogOn showed.
struct BudgetedValidator::Waiting {
  Username username;
  Account account;
  Secret password;
  MonotonicTime deadline;
  bool trusted = false;
  bool quarantined = false;
  ValidateDone done;

  // The password is wiped before others hear of the answer.
  void Answer(absl::StatusOr<Verdict> verdict) {
    password = Secret();
    done(std::move(verdict));
  }
};

BudgetedValidator::BudgetedValidator(BudgetOptions options, const Shared& shared, std::shared_ptr<Validator> inner)
    : options_(std::move(options)), shared_(shared), inner_(std::move(inner)) {}

void BudgetedValidator::Resolve(const NameQuery& query, ResolveDone done) { inner_->Resolve(query, std::move(done)); }

void BudgetedValidator::Validate(const LogOn& log_on, ValidateDone done) {
  if (options_.policy.rejections <= 0) return inner_->Validate(log_on, std::move(done));
  auto waiting = std::make_unique<Waiting>(Waiting{.username = log_on.username,
                                                   .password = Secret(log_on.password),
                                                   .deadline = log_on.deadline,
                                                   .trusted = log_on.trusted,
                                                   .quarantined = log_on.quarantined,
                                                   .done = std::move(done)});
  if (log_on.account != nullptr) {
    waiting->account = *log_on.account;
    return Charge(std::move(waiting));
  }
  // What is charged is the account, whatever it was called.
  const Waiting& view = *waiting;
  inner_->Resolve({.name = view.username, .deadline = view.deadline, .quarantined = view.quarantined},
                  [this, waiting = std::move(waiting)](absl::StatusOr<std::optional<Account>> resolved) mutable {
                    if (!resolved.ok()) return waiting->Answer(WithoutRejection(resolved.status()));
                    waiting->account = resolved->value_or(Account{.name = waiting->username, .known = false});
                    Charge(std::move(waiting));
                  });
}

void BudgetedValidator::Charge(std::unique_ptr<Waiting> waiting) {
  const Waiting& view = *waiting;
  const Budget::Claim claim = view.trusted ? Budget::Claim::kTrusted : Budget::Claim::kStranger;
  shared_.budget.Charge(options_.realm_id, view.account.name, options_.policy,
                        options_.dry_run ? Budget::Claim::kDryRun : claim,
                        [this, waiting = std::move(waiting)](const Budget::Charged& charged) mutable {
                          Charged(std::move(waiting), charged);
                        });
}

void BudgetedValidator::Charged(std::unique_ptr<Waiting> waiting, const Budget::Charged& charged) {
  if (!charged.attempt.has_value()) {
    return waiting->Answer(Verdict{
        .decision = Decision::kThrottled, .throttle = ThrottleReason::kBudget, .retry_after = charged.retry_after});
  }
  if (charged.over) {
    shared_.metrics.CountWouldThrottle(ThrottleReason::kBudget);
    shared_.reporter.Report(Severity::kInfo, "throttle_dry_run",
                            absl::StrCat(options_.realm, ": would be throttled: ", Name(ThrottleReason::kBudget)));
  }
  const Waiting& view = *waiting;
  inner_->Validate(
      {.username = view.username,
       .password = view.password.view(),
       .account = &view.account,
       .deadline = view.deadline,
       .trusted = view.trusted,
       .quarantined = view.quarantined},
      [this, attempt = *charged.attempt, waiting = std::move(waiting)](absl::StatusOr<Verdict> verdict) mutable {
        Settle(attempt, verdict);
        waiting->Answer(std::move(verdict));
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
