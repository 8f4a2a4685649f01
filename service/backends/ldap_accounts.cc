#include "backends/ldap_accounts.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "backends/ldap_filter.h"
#include "backends/ldap_groups.h"
#include "backends/ldap_time.h"

namespace credcache {
namespace {

constexpr size_t kMostNamed = 10'000;

// What differs after every change of the password.
constexpr const char* kPassword[] = {"userPassword", "pwdLastSet"};
constexpr const char* kCsn = "entryCSN";
constexpr const char* kPasswordChanged = "pwdChangedTime";
// Of an account's state, by directories' own names: ppolicy's, then Active Directory's, 389 Directory Server's,
// Novell's and shadow(5)'s.
constexpr const char* kState[] = {kPasswordChanged, "pwdAccountLockedTime", "pwdReset",      "pwdPolicySubentry",
                                  "pwdStartTime",   "pwdEndTime",           "lockoutTime",   "userAccountControl",
                                  "accountExpires", "logonHours",           "nsAccountLock", "userWorkstations",
                                  "loginDisabled",  "shadowExpire"};
// What a bind writes into the entry, good or bad.
constexpr const char* kBindMarks[] = {"pwdFailureTime", "pwdLastSuccess", "pwdGraceUseTime", "authTimestamp"};

// pwdChangedTime has whole seconds: a second change within the same one leaves it as it was. For so long after it, a
// change of the entry may be the password's.
constexpr absl::Duration kLately = absl::Seconds(5);

template <size_t N>
bool IsOneOf(const char* const (&names)[N], absl::string_view name) {
  return std::any_of(std::begin(names), std::end(names),
                     [name](const char* one) { return absl::EqualsIgnoreCase(one, name); });
}

// A directory gives the values of an attribute in any order.
void AppendSorted(const std::vector<std::string>& values, std::vector<absl::string_view>& fields) {
  const auto first = static_cast<std::ptrdiff_t>(fields.size());
  fields.insert(fields.end(), values.begin(), values.end());
  std::sort(fields.begin() + first, fields.end());
}

}  // namespace

uint64_t Fingerprinter::Of(const std::vector<absl::string_view>& fields) const {
  std::string text;
  for (const absl::string_view field : fields) absl::StrAppend(&text, field.size(), ":", field);
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const uint8_t*>(text.data()),
       text.size(), digest.data(), nullptr);
  WipeMemory(text.data(), text.size());
  uint64_t result = 0;
  std::memcpy(&result, digest.data(), sizeof(result));
  return result == 0 ? 1 : result;  // 0 is for what is not there
}

LdapAccounts::LdapAccounts(const LdapIdentityRules& rules, absl::string_view filter, const Fingerprinter& fingerprinter)
    : case_rule_(rules.case_rule),
      username_(rules.username.empty() ? std::vector<std::string>() : std::vector<std::string>{rules.username}),
      names_(AttributesOf(filter).names),
      watched_(AttributesOf(filter).all),
      fingerprinter_(fingerprinter) {
  watched_.insert(watched_.end(), username_.begin(), username_.end());
  if (!rules.groups.empty()) watched_.push_back(rules.groups);
  watched_.insert(watched_.end(), rules.attributes.begin(), rules.attributes.end());
}

std::vector<std::string> LdapAccounts::attributes() const {
  std::vector<std::string> result = watched_;
  result.insert(result.end(), std::begin(kState), std::end(kState));
  result.insert(result.end(), std::begin(kBindMarks), std::end(kBindMarks));
  result.insert(result.end(), std::begin(kPassword), std::end(kPassword));
  result.emplace_back(kCsn);
  return result;
}

std::string LdapAccounts::filter() const {
  std::string result = "(|";
  for (const std::string& name : username_) absl::StrAppend(&result, "(", name, "=*)");
  for (const std::string& name : names_) absl::StrAppend(&result, "(", name, "=*)");
  return result + ")";
}

void LdapAccounts::BeginRefresh() {
  ++refresh_;
  refreshing_ = true;
}

void LdapAccounts::Put(const SyncUuid& uuid, const LdapEntry& entry) {
  Description now = Describe(entry);
  if (now.record.name.empty()) return Remove(uuid);  // nobody can log on as that
  now.record.refresh = refresh_;
  const auto [found, is_new] = records_.try_emplace(uuid);
  Record& record = found->second;
  if (is_new || record.names != now.record.names) {
    // Somebody may have tried a name that was not known, and that is remembered.
    for (const std::string& name : now.other_names) Tell(name);
  }
  if (!is_new && record.name != now.record.name) Tell(record.name);
  if (is_new || record.name != now.record.name || Differs(record, now)) Tell(now.record.name);
  record = std::move(now.record);
}

void LdapAccounts::Keep(const SyncUuid& uuid) {
  const auto found = records_.find(uuid);
  if (found != records_.end()) found->second.refresh = refresh_;
}

void LdapAccounts::Remove(const SyncUuid& uuid) {
  const auto found = records_.find(uuid);
  if (found == records_.end()) return;
  Tell(found->second.name);
  records_.erase(found);
}

void LdapAccounts::RemoveUnlisted() {
  absl::erase_if(records_, [this](const auto& entry) {
    if (entry.second.refresh == refresh_) return false;
    Tell(entry.second.name);
    return true;
  });
}

void LdapAccounts::EndRefresh() {
  refreshing_ = false;
  if (!refreshed_once_) everything_ = true;
  refreshed_once_ = true;
}

ChangedAccounts LdapAccounts::TakeChanged() {
  ChangedAccounts result = {.everything = std::exchange(everything_, false), .names = std::exchange(changed_, {})};
  if (result.names.size() > kMostNamed) result.everything = true;
  if (result.everything) result.names.clear();
  return result;
}

void LdapAccounts::MarkChanged(std::vector<uint64_t> dns) {
  if (dns.empty()) return;
  // One pass over all accounts, for as many as there are: an index by DN would cost each account's memory once more.
  std::sort(dns.begin(), dns.end());
  for (const auto& [uuid, record] : records_) {
    if (std::binary_search(dns.begin(), dns.end(), record.dn)) Tell(record.name);
  }
}

LdapAccounts::Description LdapAccounts::Describe(const LdapEntry& entry) const {
  Description result;
  Record& record = result.record;
  const std::vector<std::string> canonical = NamesIn(entry, username_);
  const std::vector<std::string> found_by = NamesIn(entry, names_);
  // As AccountOf chooses: the least, or else the name that was asked.
  if (!canonical.empty()) {
    record.name = canonical.front();
    result.other_names = found_by;
    std::erase(result.other_names, record.name);
  } else {
    record.name = absl::StrJoin(found_by, "\n");
  }
  record.names =
      fingerprinter_.Of(std::vector<absl::string_view>(result.other_names.begin(), result.other_names.end()));

  record.dn = LdapGroups::HashOf(entry.dn);
  std::vector<absl::string_view> watched = {entry.dn};
  std::vector<absl::string_view> marks;
  std::vector<absl::string_view> password;
  // In an order of their own, too.
  std::vector<const std::pair<std::string, std::vector<std::string>>*> attributes;
  attributes.reserve(entry.attributes.size());
  for (const auto& attribute : entry.attributes) attributes.push_back(&attribute);
  std::sort(attributes.begin(), attributes.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  for (const auto* attribute : attributes) {
    const auto& [name, values] = *attribute;
    if (IsOneOf(kPassword, name)) {
      AppendSorted(values, password);
    } else if (absl::EqualsIgnoreCase(name, kCsn)) {
      record.csn = fingerprinter_.Of({values.empty() ? absl::string_view() : values.front()});
    } else if (IsOneOf(kBindMarks, name)) {
      marks.emplace_back(name);
      AppendSorted(values, marks);
    } else if (Watches(name)) {
      watched.emplace_back(name);
      AppendSorted(values, watched);
    }
  }
  if (!password.empty()) record.password = fingerprinter_.Of(password);
  record.watched = fingerprinter_.Of(watched);
  record.bind_marks = fingerprinter_.Of(marks);
  const auto changed = GeneralizedTimeIn(entry, kCsn);
  const auto password_changed = GeneralizedTimeIn(entry, kPasswordChanged);
  result.password_changed_lately = changed && password_changed && *changed - *password_changed < kLately;
  return result;
}

// Normalised, sorted, each once.
std::vector<std::string> LdapAccounts::NamesIn(const LdapEntry& entry,
                                               const std::vector<std::string>& attributes) const {
  std::vector<std::string> names;
  for (const std::string& attribute : attributes) {
    const auto* values = entry.Find(attribute);
    if (values == nullptr) continue;
    for (const std::string& value : *values) {
      const auto name = Username::Normalize(value, case_rule_);
      if (name.ok()) names.emplace_back(name->view());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// With or without options, such as "memberOf;range=0-1499". What else was asked for is of use to others.
bool LdapAccounts::Watches(absl::string_view attribute) const {
  const absl::string_view plain = attribute.substr(0, attribute.find(';'));
  return IsOneOf(kState, plain) ||
         std::any_of(watched_.begin(), watched_.end(), [attribute, plain](const std::string& one) {
           return absl::EqualsIgnoreCase(one, plain) || absl::EqualsIgnoreCase(one, attribute);
         });
}

bool LdapAccounts::Differs(const Record& before, const Description& now) const {
  const Record& after = now.record;
  if (before.watched != after.watched || before.names != after.names) return true;
  if (before.password != 0 || after.password != 0) return before.password != after.password;
  if (before.csn != 0 && before.csn == after.csn) return false;
  // A refresh may bring several changes as one, and what a bind left may hide the others.
  return refreshing_ || before.bind_marks == after.bind_marks || now.password_changed_lately;
}

void LdapAccounts::Tell(absl::string_view names) {
  if (!refreshed_once_) return;  // everything will be told
  for (const absl::string_view name : absl::StrSplit(names, '\n')) changed_.emplace_back(name);
}

}  // namespace credcache
