// Turns a configuration as it is written into one that can be relied on: ranges, defaults, files, and what one section
// says of another.
#pragma once

#include "absl/strings/string_view.h"
#include "config/checks.h"
#include "config/config.h"
#include "credcache/config/v1/config.pb.h"

namespace credcache {

// The whole file. Reports every mistake to `checks.source()`; the result counts only if there was none.
Config Validate(const config::v1::Config& written, Checks& checks);

// Its sections, each in a file of its own. `path` is the section's key.
ListenConfig ValidateListen(const config::v1::Listen& written, Checks& checks);
TlsConfig ValidateTls(const config::v1::Tls& written, Checks& checks);
std::vector<CallerConfig> ValidateCallers(const config::v1::Config& written, Checks& checks);
CacheConfig ValidateCache(const config::v1::Cache& written, Checks& checks);
// `policy` is what the realm starts from. `has_feed`: all of its validators have a change feed.
CachePolicy ValidateRealmCache(const config::v1::RealmCache& written, const std::string& path, CachePolicy policy,
                               bool has_feed, Checks& checks);
// `budget` is what the realm starts from, or the global one from.
BudgetPolicy ValidateBudget(const config::v1::Budget& written, const std::string& path, BudgetPolicy budget,
                            Checks& checks);
ThrottleConfig ValidateThrottle(const config::v1::Throttle& written, Checks& checks);
// What realms start from.
struct RealmDefaults {
  CachePolicy policy;
  BudgetPolicy budget;
};
std::vector<RealmConfig> ValidateRealms(const config::v1::Config& written, const RealmDefaults& defaults,
                                        Checks& checks);
KerberosConfig ValidateKerberos(const config::v1::Kerberos& written, const std::string& path, Checks& checks);
LdapConfig ValidateLdap(const config::v1::Ldap& written, const std::string& path, Checks& checks);
PostgresConfig ValidatePostgres(const config::v1::Postgres& written, const std::string& path, Checks& checks);
PamConfig ValidatePam(const config::v1::Pam& written, const std::string& path, Checks& checks);
RemoteConfig ValidateRemote(const config::v1::Remote& written, const std::string& path, Checks& checks);

}  // namespace credcache
