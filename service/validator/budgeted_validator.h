// Never lets a directory lock an account because of what came through here: see budget.h.
#pragma once

#include <memory>
#include <string>

#include "base/names.h"
#include "base/reporter.h"
#include "base/throttle_policy.h"
#include "metrics/metrics.h"
#include "validator/budget.h"
#include "validator/validator.h"

namespace credcache {

struct BudgetOptions {
  std::string realm;
  RealmId realm_id{};
  BudgetPolicy policy;
  bool dry_run = false;
};

// Thread-safe. Charges the account before the inner validator is asked, and answers kThrottled where nothing is left;
// where that is not known yet, since others of the account are under way, the log-on waits for them. An error that may
// have been a rejection stays charged (MayHaveRejected).
class BudgetedValidator final : public Validator {
 public:
  // All outlive it, but `inner`, which is shared with those from before a reload.
  struct Shared {
    Budget& budget;
    RealmMetrics& metrics;
    Reporter& reporter;
  };
  BudgetedValidator(BudgetOptions options, const Shared& shared, std::shared_ptr<Validator> inner);

  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  struct Waiting;
  void Charge(std::unique_ptr<Waiting> waiting);
  void Charged(std::unique_ptr<Waiting> waiting, const Budget::Charged& charged);
  void Settle(const Budget::Attempt& attempt, const absl::StatusOr<Verdict>& verdict);

  const BudgetOptions options_;
  const Shared shared_;
  const std::shared_ptr<Validator> inner_;
};

}  // namespace credcache
