#include <algorithm>
#include <utility>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "config/validate.h"

namespace credcache {
namespace {

// Realms have 16-bit numbers that are never given again (RealmIds); this leaves room for many reloads.
constexpr int kMostRealms = 4096;
constexpr int kMostValidators = 64;

// A realm's name stands before \, after @ and before / in what people and protocols write.
std::string RealmName(const std::string& path, const std::string& value, Checks& checks) {
  if (!Username::Normalize(value, CaseRule::kFold).ok() || value.find_first_of("@\\/ ") != std::string::npos) {
    checks.source().Fail(path, "a realm's name: 1 to 256 bytes without controls, spaces, @, / and \\");
  }
  return value;
}

ValidatorConfig ValidateValidator(const config::v1::Validator& written, const std::string& path, Checks& checks) {
  ValidatorConfig validator;
  validator.continue_on_rejected = written.continue_on_rejected();
  switch (written.backend_case()) {
    case config::v1::Validator::kFile: {
      const std::string key = Child(Child(path, "file"), "path");
      if (!written.file().has_path()) {
        checks.source().Fail(key, "the path of a password file");
      } else {
        validator.backend = FileConfig{.path = checks.File(key, written.file().path(), Checks::Secrecy::kPublic)};
      }
      break;
    }
    case config::v1::Validator::kLdap:
      validator.backend = ValidateLdap(written.ldap(), Child(path, "ldap"), checks);
      break;
    case config::v1::Validator::kPostgres:
      validator.backend = ValidatePostgres(written.postgres(), Child(path, "postgres"), checks);
      break;
    case config::v1::Validator::kRemote:
      validator.backend = ValidateRemote(written.remote(), Child(path, "remote"), checks);
      break;
    case config::v1::Validator::kPam:
      validator.backend = ValidatePam(written.pam(), Child(path, "pam"), checks);
      break;
    case config::v1::Validator::kKerberos:
      validator.backend = ValidateKerberos(written.kerberos(), Child(path, "kerberos"), checks);
      break;
    case config::v1::Validator::BACKEND_NOT_SET:
      // A backend that is unknown or not built yet was reported as a key.
      if (!checks.source().HasRefusedKey(path))
        checks.source().Fail(path, "one of file, ldap, postgres, remote, pam, kerberos");
      break;
  }
  return validator;
}

// Whether the service hears of changes at the backend by itself.
bool HasFeed(const ValidatorConfig& validator) {
  if (const auto* ldap = std::get_if<LdapConfig>(&validator.backend)) return ldap->feed;
  if (const auto* postgres = std::get_if<PostgresConfig>(&validator.backend)) return postgres->feed;
  if (const auto* remote = std::get_if<RemoteConfig>(&validator.backend)) return remote->feed;
  return std::holds_alternative<FileConfig>(validator.backend);
}

RealmConfig ValidateRealm(const config::v1::Realm& written, const std::string& path, const RealmDefaults& defaults,
                          Checks& checks) {
  RealmConfig realm;
  if (written.has_name()) {
    realm.name = RealmName(Child(path, "name"), written.name(), checks);
  } else {
    checks.source().Fail(Child(path, "name"), "the realm's name");
  }
  realm.is_default = written.default_();
  for (int i = 0; i < written.aliases_size(); ++i) {
    realm.aliases.push_back(RealmName(Item(Child(path, "aliases"), i), written.aliases(i), checks));
  }
  realm.case_sensitive = written.case_sensitive();
  const std::string validators = Child(path, "validators");
  checks.Count(validators, written.validators_size(), kMostValidators);
  if (written.validators().empty()) checks.source().Fail(validators, "at least one validator");
  for (int i = 0; i < written.validators_size(); ++i) {
    realm.validators.push_back(ValidateValidator(written.validators(i), Item(validators, i), checks));
  }
  const bool has_feed = std::all_of(realm.validators.begin(), realm.validators.end(), HasFeed);
  realm.policy = ValidateRealmCache(written.cache(), Child(path, "cache"), defaults.policy, has_feed, checks);
  realm.budget = ValidateBudget(written.budget(), Child(path, "budget"), defaults.budget, checks);
  realm.policy.negative_memory = realm.budget.rejections > 0 ? realm.budget.window : absl::ZeroDuration();
  return realm;
}

void CheckNamesOnce(const std::vector<RealmConfig>& realms, Checks& checks) {
  absl::flat_hash_map<std::string, std::string> paths;
  const auto add = [&](const std::string& name, const std::string& path) {
    const auto folded = Username::Normalize(name, CaseRule::kFold);
    if (!folded.ok()) return;
    const auto [first, inserted] = paths.emplace(folded->view(), path);
    if (inserted) return;
    const int line = checks.source().Line(first->second);
    checks.source().Fail(path, absl::StrCat("each name once, upper or lower case (line ", line, " has it)"));
  };
  for (size_t i = 0; i < realms.size(); ++i) {
    const std::string path = Item("realms", static_cast<int>(i));
    add(realms[i].name, Child(path, "name"));
    for (size_t j = 0; j < realms[i].aliases.size(); ++j) {
      add(realms[i].aliases[j], Item(Child(path, "aliases"), static_cast<int>(j)));
    }
  }
}

void ChooseDefault(std::vector<RealmConfig>& realms, Checks& checks) {
  if (realms.size() == 1) realms[0].is_default = true;
  const RealmConfig* first = nullptr;
  bool unreadable = false;
  for (size_t i = 0; i < realms.size(); ++i) {
    const std::string path = Child(Item("realms", static_cast<int>(i)), "default");
    unreadable = unreadable || checks.source().IsBad(path);
    if (!realms[i].is_default) continue;
    if (first != nullptr) {
      checks.source().Fail(path, absl::StrCat("one default realm (", Escaped(first->name), " is it already)"));
    } else {
      first = &realms[i];
    }
  }
  if (first == nullptr && !unreadable && !realms.empty()) {
    checks.source().FailAs("realms", "no default realm", "default: true in one of them");
  }
}

}  // namespace

std::vector<RealmConfig> ValidateRealms(const config::v1::Config& written, const RealmDefaults& defaults,
                                        Checks& checks) {
  if (written.realms().empty()) checks.source().Fail("realms", "at least one realm");
  if (!checks.Count("realms", written.realms_size(), kMostRealms)) return {};
  std::vector<RealmConfig> realms;
  realms.reserve(static_cast<size_t>(written.realms_size()));
  for (int i = 0; i < written.realms_size(); ++i) {
    realms.push_back(ValidateRealm(written.realms(i), Item("realms", i), defaults, checks));
  }
  CheckNamesOnce(realms, checks);
  ChooseDefault(realms, checks);
  return realms;
}

}  // namespace credcache
