#include "backends/kerberos_backend.h"

#include <utility>

namespace credcache {

KerberosBackend::KerberosBackend(KerberosBackendOptions options, Clock& clock, Randomness& randomness,
                                 Reporter& reporter, Waiting* waiting)
    : options_(std::move(options)),
      kdcs_(options_.krb5_conf, options_.realm, clock, reporter),
      typical_{.rejection = TypicalTime(randomness), .expired = TypicalTime(randomness)} {
  workers_ = std::make_unique<BackendWorkers<KerberosWorker>>(
      BackendWorkersOptions{.name = "kerberos",
                            .workers = options_.workers,
                            .want = "worker for the KDC",
                            .timeout = options_.timeout,
                            .max_queue = options_.max_queue,
                            .waiting = waiting},
      clock, [&] { return std::make_unique<KerberosWorker>(options_, kdcs_, typical_, clock, reporter); });
}

void KerberosBackend::Resolve(const NameQuery& query, ResolveDone done) { done(Account{.name = query.name}); }

void KerberosBackend::Validate(const LogOn& log_on, ValidateDone done) {
  // Known without asking: nobody's password is empty.
  if (log_on.password.empty()) return done(Verdict{.decision = Decision::kWrongPassword});
  workers_->Validate({.name = log_on.account == nullptr ? log_on.username : log_on.account->name,
                      .password = Secret(log_on.password),
                      .deadline = log_on.deadline},
                     std::move(done));
}

}  // namespace credcache
