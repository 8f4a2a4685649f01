// Validates against an LDAP directory (OpenLDAP, Active Directory, 389 Directory Server, ...) by binding as the user.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "backends/ldap_feed.h"
#include "backends/ldap_options.h"
#include "backends/ldap_servers.h"
#include "backends/ldap_typical_time.h"
#include "backends/ldap_worker.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reporter.h"
#include "base/worker_pool.h"
#include "validator/validator.h"

namespace credcache {

// As many threads as connections are configured, each with an LdapWorker. A question is answered within the configured
// timeout or by its deadline, whichever is sooner, the wait for a thread included; a password is sent once for a
// question, or not at all.
//
// Where several entries match a name, it is unknown, and reported. In a directory that cannot tell an unknown name from
// a wrong password (user_dn with slapd), every rejection is a wrong password.
//
// Destroy it when no call is under way; what waits is answered UNAVAILABLE.
class LdapBackend final : public Validator {
 public:
  // `changes` hears of what changes in the directory (ldap_feed.h), which needs `base` and `filter`. Null: nobody does.
  LdapBackend(LdapBackendOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
              std::shared_ptr<ChangeListener> changes = nullptr);
  ~LdapBackend() override;

  // With user_dn: the name itself, without asking anybody.
  void Resolve(const Username& username, MonotonicTime deadline, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  struct Resolution;
  struct Validation;
  // Runs `work` on a thread, with a worker; RESOURCE_EXHAUSTED: not at all.
  absl::Status Submit(absl::AnyInvocable<void(LdapWorker&)> work);
  MonotonicTime DeadlineFor(MonotonicTime callers) const;
  // Why not even to begin, if there is a reason.
  absl::Status Refusal(MonotonicTime deadline) const;

  const LdapBackendOptions options_;
  Clock& clock_;
  LdapServers servers_;
  LdapTypicalTimes typical_;
  std::atomic<bool> stopping_ = false;
  absl::Mutex mutex_;
  // The last one used is the next: under little load few connections are kept busy, and the others age away.
  std::vector<std::unique_ptr<LdapWorker>> idle_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<WorkerPool> threads_;
  std::unique_ptr<LdapFeed> feed_;  // null: nobody listens
};

}  // namespace credcache
