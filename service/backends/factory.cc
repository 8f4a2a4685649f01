#include "backends/factory.h"

#include <array>
#include <utility>
#include <variant>

#include "backends/file_backend.h"
#include "backends/kerberos_backend.h"
#include "backends/ldap_backend.h"
#include "backends/pam_backend.h"
#include "backends/pam_helper.h"
#include "backends/postgres_backend.h"
#include "backends/remote_backend.h"

namespace credcache {
namespace {

CaseRule CaseRuleOf(const RealmConfig& realm) { return realm.case_sensitive ? CaseRule::kSensitive : CaseRule::kFold; }

std::unique_ptr<Validator> BuildFile(const ValidatorConfig& config, const RealmConfig& realm,
                                     const BackendParts& parts) {
  const auto& file = std::get<FileConfig>(config.backend);
  const FileBackendOptions options = {.path = file.path, .realm = realm.name, .case_rule = CaseRuleOf(realm)};
  return std::make_unique<FileBackend>(options, parts.clock, parts.reporter, parts.changes, parts.waiting);
}

std::unique_ptr<Validator> BuildLdap(const ValidatorConfig& config, const RealmConfig& realm,
                                     const BackendParts& parts) {
  const auto& ldap = std::get<LdapConfig>(config.backend);
  LdapBackendOptions options = {.urls = ldap.urls,
                                .tls = {.start_tls = ldap.start_tls, .ca = ldap.ca},
                                .bind_dn = ldap.bind_dn,
                                .bind_password_file = ldap.bind_password_file,
                                .base = ldap.base,
                                .filter = ldap.filter,
                                .user_dn = ldap.user_dn,
                                .nested_groups_base = ldap.nested_groups_base,
                                .identity = {.realm = realm.name,
                                             .case_rule = CaseRuleOf(realm),
                                             .username = ldap.username,
                                             .groups = ldap.groups,
                                             .attributes = ldap.attributes,
                                             .password_stamp = realm.policy.retire > absl::ZeroDuration()},
                                .connections = ldap.connections,
                                .timeout = ldap.timeout};
  return std::make_unique<LdapBackend>(std::move(options), parts.clock, parts.randomness, parts.reporter,
                                       ldap.feed ? parts.changes : nullptr, parts.waiting);
}

std::unique_ptr<Validator> BuildRemote(const ValidatorConfig& config, const RealmConfig& realm,
                                       const BackendParts& parts) {
  const auto& remote = std::get<RemoteConfig>(config.backend);
  RemoteBackendOptions options = {
      .address = remote.address, .realm = realm.name, .case_rule = CaseRuleOf(realm), .timeout = remote.timeout};
  if (remote.tls.has_value()) {
    options.tls = {
        .ca = remote.tls->ca, .certificate = remote.tls->certificate, .private_key = remote.tls->private_key};
  }
  return std::make_unique<RemoteBackend>(std::move(options), parts.clock, parts.randomness, parts.reporter,
                                         remote.feed ? parts.changes : nullptr);
}

std::unique_ptr<Validator> BuildPostgres(const ValidatorConfig& config, const RealmConfig& realm,
                                         const BackendParts& parts) {
  const auto& postgres = std::get<PostgresConfig>(config.backend);
  PostgresBackendOptions options = {.dsn_file = postgres.dsn_file,
                                    .query = postgres.query,
                                    .identity = {.realm = realm.name, .case_rule = CaseRuleOf(realm)},
                                    .connections = postgres.connections,
                                    .timeout = postgres.timeout,
                                    .feed = postgres.feed,
                                    .channel = postgres.channel};
  return std::make_unique<PostgresBackend>(std::move(options), parts.clock, parts.randomness, parts.reporter,
                                           parts.changes, parts.waiting);
}

std::unique_ptr<Validator> BuildPam(const ValidatorConfig& config, const RealmConfig& realm,
                                    const BackendParts& parts) {
  const auto& pam = std::get<PamConfig>(config.backend);
  PamBackendOptions options = {.service = pam.service,
                               .config_folder = pam.config_folder,
                               .system_users = pam.system_users,
                               .realm = realm.name,
                               .case_rule = CaseRuleOf(realm),
                               .workers = pam.workers,
                               .timeout = pam.timeout};
  return std::make_unique<PamBackend>(std::move(options), parts.clock, parts.randomness, parts.reporter, parts.waiting);
}

std::unique_ptr<Validator> BuildKerberos(const ValidatorConfig& config, const RealmConfig& /*realm*/,
                                         const BackendParts& parts) {
  const auto& kerberos = std::get<KerberosConfig>(config.backend);
  KerberosBackendOptions options = {.realm = kerberos.realm,
                                    .keytab = kerberos.keytab,
                                    .service = kerberos.service,
                                    .krb5_conf = kerberos.krb5_conf,
                                    .workers = kerberos.workers,
                                    .timeout = kerberos.timeout};
  return std::make_unique<KerberosBackend>(std::move(options), parts.clock, parts.randomness, parts.reporter,
                                           parts.waiting);
}

struct Kind {
  absl::string_view name;
  std::unique_ptr<Validator> (*build)(const ValidatorConfig& config, const RealmConfig& realm,
                                      const BackendParts& parts);
  bool asks_others;
};

// In the order of ValidatorConfig::backend's alternatives.
constexpr std::array<Kind, 6> kKinds = {{{"file", BuildFile, /*asks_others=*/false},
                                         {"ldap", BuildLdap, /*asks_others=*/true},
                                         {"postgres", BuildPostgres, /*asks_others=*/true},
                                         {"remote", BuildRemote, /*asks_others=*/true},
                                         {"pam", BuildPam, /*asks_others=*/true},
                                         {"kerberos", BuildKerberos, /*asks_others=*/true}}};
static_assert(kKinds.size() == std::variant_size_v<decltype(ValidatorConfig::backend)>);

}  // namespace

std::unique_ptr<Validator> BuildBackend(const ValidatorConfig& config, const RealmConfig& realm,
                                        const BackendParts& parts) {
  return kKinds[config.backend.index()].build(config, realm, parts);
}

bool AsksOthers(const ValidatorConfig& config) { return kKinds[config.backend.index()].asks_others; }

absl::string_view BackendKind(const ValidatorConfig& config) { return kKinds[config.backend.index()].name; }

std::optional<int> RunBackendHelper(int argc, char** argv) { return RunPamHelper(argc, argv); }

}  // namespace credcache
