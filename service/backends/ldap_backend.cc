#include "backends/ldap_backend.h"

#include <utility>

namespace credcache {
namespace {

// libldap reads ldap.conf at its first use, which two threads must not do at once.
void InitializeLibldap() {
  LDAPAPIInfo info = {.ldapai_info_version = LDAP_API_INFO_VERSION};
  if (ldap_get_option(nullptr, LDAP_OPT_API_INFO, &info) == LDAP_OPT_SUCCESS) {
    ldap_memfree(info.ldapai_vendor_name);
    ldap_memvfree(reinterpret_cast<void**>(info.ldapai_extensions));
  }
}

}  // namespace

LdapBackend::LdapBackend(LdapBackendOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
                         std::shared_ptr<ChangeListener> changes, Waiting* waiting)
    : options_(std::move(options)),
      servers_("ldap", options_.urls, clock, reporter),
      typical_{.rejection = TypicalTime(randomness),
               .found = TypicalTime(randomness),
               .not_found = TypicalTime(randomness)} {
  InitializeLibldap();
  workers_ = std::make_unique<BackendWorkers<LdapWorker>>(
      BackendWorkersOptions{.name = "ldap",
                            .workers = options_.connections,
                            .want = "connection to the directory",
                            .timeout = options_.timeout,
                            .max_queue = options_.max_queue,
                            .waiting = waiting},
      clock, [&] { return std::make_unique<LdapWorker>(options_, servers_, typical_, clock, randomness, reporter); });
  if (changes != nullptr) {
    feed_ = std::make_unique<LdapFeed>(options_, servers_, clock, randomness, reporter, std::move(changes));
  }
}

void LdapBackend::Resolve(const NameQuery& query, ResolveDone done) {
  if (LdapWorker::IsDirect(options_)) return done(Account{.name = query.name});
  workers_->Resolve(query, std::move(done));
}

void LdapBackend::Validate(const LogOn& log_on, ValidateDone done) {
  // A bind with an empty password is an anonymous one, and succeeds.
  if (log_on.password.empty()) return done(Verdict{.decision = Decision::kWrongPassword});
  LdapWorker::Question question = {.name = log_on.account == nullptr ? log_on.username : log_on.account->name,
                                   .password = Secret(log_on.password),
                                   .deadline = log_on.deadline,
                                   .quarantined = log_on.quarantined};
  if (log_on.account != nullptr) {
    question.known = log_on.account->known;
    question.locator = log_on.account->locator;
    question.identity = log_on.account->identity;
  }
  workers_->Validate(std::move(question), std::move(done));
}

}  // namespace credcache
