// Validates against a Kerberos realm (MIT, Heimdal, Active Directory): a ticket for the password, which the service's
// own key then proves to be the KDC's.
#pragma once

#include <memory>

#include "backends/backend_workers.h"
#include "backends/kerberos_kdcs.h"
#include "backends/kerberos_options.h"
#include "backends/kerberos_worker.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reporter.h"
#include "base/waiting.h"
#include "validator/validator.h"

namespace credcache {

// As many BackendWorkers as are configured, each a KerberosWorker. A question is answered within the configured timeout
// or by its deadline, whichever is sooner, the wait for a worker included, and what KerberosWorker adds.
//
// The realm tells of nobody's groups or other names: a user is the name that logged on, and the subject the principal.
// It sends no word of changes either.
//
// Destroy it when no call is under way; what waits is answered UNAVAILABLE.
class KerberosBackend final : public Validator {
 public:
  // `waiting`: BackendWorkersOptions.
  KerberosBackend(KerberosBackendOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
                  Waiting* waiting = nullptr);

  // The name itself, without asking anybody.
  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  const KerberosBackendOptions options_;
  KerberosKdcs kdcs_;
  KerberosTypicalTimes typical_;
  std::unique_ptr<BackendWorkers<KerberosWorker>> workers_;
};

}  // namespace credcache
