// Validates against a PAM stack (pam(3)): authentication, then the account phase.
#pragma once

#include <memory>

#include "backends/backend_workers.h"
#include "backends/pam_options.h"
#include "backends/pam_worker.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reporter.h"
#include "base/waiting.h"
#include "validator/validator.h"

namespace credcache {

// As many BackendWorkers as configured, each a PamWorker with a helper process of its own, in which the modules run
// (adr/0009). A question is answered within the configured timeout or by its deadline, whichever is sooner, the wait
// for a worker included; a helper that is late then is killed.
//
// A name with a slash or a colon is nobody's: modules take names for files and for fields of lines. A password with a
// NUL, or longer than modules have room for, is wrong: they would look at its beginning only. Neither is asked for.
//
// Destroy it when no call is under way; what waits is answered UNAVAILABLE.
class PamBackend final : public Validator {
 public:
  // `waiting`: BackendWorkersOptions.
  PamBackend(PamBackendOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
             Waiting* waiting = nullptr);

  // PAM cannot tell: the name itself.
  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  const PamBackendOptions options_;
  PamState state_;
  std::unique_ptr<BackendWorkers<PamWorker>> workers_;
};

}  // namespace credcache
