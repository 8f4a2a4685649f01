// Validates against an LDAP directory (OpenLDAP, Active Directory, 389 Directory Server, ...) by binding as the user.
#pragma once

#include <memory>

#include "backends/backend_workers.h"
#include "backends/ldap_feed.h"
#include "backends/ldap_options.h"
#include "backends/ldap_worker.h"
#include "backends/servers.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reporter.h"
#include "base/waiting.h"
#include "validator/validator.h"

namespace credcache {

// As many BackendWorkers as connections are configured, each an LdapWorker. A question is answered within the
// configured timeout or by its deadline, whichever is sooner, the wait for a worker included; a password is sent once
// for a question, or not at all.
//
// Where several entries match a name, it is unknown, and reported. In a directory that cannot tell an unknown name from
// a wrong password (user_dn with slapd), every rejection is a wrong password.
//
// Destroy it when no call is under way; what waits is answered UNAVAILABLE.
class LdapBackend final : public Validator {
 public:
  // `changes` hears of what changes in the directory (ldap_feed.h), which needs `base` and `filter`. Null: nobody does.
  // `waiting`: BackendWorkersOptions.
  LdapBackend(LdapBackendOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
              std::shared_ptr<ChangeListener> changes = nullptr, Waiting* waiting = nullptr);

  // With user_dn: the name itself, without asking anybody.
  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  const LdapBackendOptions options_;
  Servers servers_;
  LdapTypicalTimes typical_;
  std::unique_ptr<BackendWorkers<LdapWorker>> workers_;
  std::unique_ptr<LdapFeed> feed_;  // null: nobody listens
};

}  // namespace credcache
