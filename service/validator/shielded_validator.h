// Answers guessing before anything is looked up: see shield.h.
#pragma once

#include <memory>
#include <string>

#include "base/cache_policy.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/reporter.h"
#include "base/throttle_policy.h"
#include "cache/cache.h"
#include "metrics/metrics.h"
#include "validator/shield.h"
#include "validator/validator.h"

namespace credcache {

struct ShieldOptions {
  std::string realm;
  RealmId realm_id{};
  CaseRule case_rule = CaseRule::kFold;
  CachePolicy cache_policy;  // for how long other names of accounts are known
  ThrottlePolicy policy;
};

// Thread-safe. On the outside of a realm's validators: what it lets through is answered by the inner ones on whichever
// thread they answer. A hit allocates nothing here.
class ShieldedValidator final : public Validator {
 public:
  // All outlive it, and what it has let through.
  struct Shared {
    Shield& shield;
    const Cache* cache;  // tells whose name a name is; null: the cache is off, and each name stands for itself
    Clock& clock;
    RealmMetrics& metrics;
    Reporter& reporter;
  };
  ShieldedValidator(ShieldOptions options, const Shared& shared, std::unique_ptr<Validator> inner);

  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;
  uint64_t Expect(const Username& name) const override;

 private:
  class Pending;
  Shield::Attempt Begin(const LogOn& log_on, MonotonicTime now) const;
  // Under the account's canonical name, which a log-on by another may bring.
  Shield::Attempt AsAccepted(const Shield::Attempt& attempt, const Verdict& verdict) const;

  const ShieldOptions options_;
  const Shared shared_;
  const std::unique_ptr<Validator> inner_;
};

}  // namespace credcache
