// Does not ask a backend that has stopped answering, but for one question now and then.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reporter.h"
#include "metrics/backend_metrics.h"
#include "validator/circuit_breaker.h"
#include "validator/validator.h"

namespace credcache {

struct BreakerOptions {
  std::string backend;  // as logs name it: "corp.example/ldap"
  CircuitPolicy policy;
};

// Thread-safe. While the circuit is open the answer is UNAVAILABLE at once, with what was last wrong. Verdicts and
// errors without blame (BlamesBackend) keep it closed.
class BreakerValidator final : public Validator {
 public:
  // All of them outlive it.
  struct Shared {
    BackendMetrics& metrics;
    Clock& clock;
    Randomness& randomness;
    Reporter& reporter;
  };
  BreakerValidator(BreakerOptions options, const Shared& shared, std::unique_ptr<Validator> inner);

  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  std::optional<CircuitBreaker::Ticket> Admit();
  absl::Status Refusal();
  void Ended(const CircuitBreaker::Ticket& ticket, const absl::Status& status);

  const BreakerOptions options_;
  const Shared shared_;
  CircuitBreaker breaker_;
  absl::Mutex mutex_;
  std::string last_error_ ABSL_GUARDED_BY(mutex_);
  const std::unique_ptr<Validator> inner_;  // last: ends first, and calls back while it does
};

}  // namespace credcache
