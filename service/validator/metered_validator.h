// Counts what a backend is asked and how it answers.
#pragma once

#include <memory>

#include "base/clock.h"
#include "metrics/backend_metrics.h"
#include "validator/validator.h"

namespace credcache {

// Thread-safe. `metrics` and `clock` outlive it. A Resolve counts while it is under way, and when it fails.
class MeteredValidator final : public Validator {
 public:
  MeteredValidator(std::unique_ptr<Validator> inner, BackendMetrics& metrics, Clock& clock);

  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  BackendMetrics& metrics_;
  Clock& clock_;
  const std::unique_ptr<Validator> inner_;  // last: ends first, and calls back while it does
};

}  // namespace credcache
