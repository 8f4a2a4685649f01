#include "backends/ldap_identity.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "backends/ldap_time.h"
#include "base/limits.h"
#include "base/utf8.h"

namespace credcache {
namespace {

std::string PlainSubject(const LdapIdentityRules& rules, const Username& name) {
  return absl::StrCat(rules.realm, "/", name.view());
}

std::optional<std::string> DirectorySubject(const LdapEntry& entry) {
  const auto* uuid = entry.Find("entryUUID");
  if (uuid != nullptr && !uuid->empty() && !uuid->front().empty() && IsUtf8(uuid->front())) return uuid->front();
  const auto* guid = entry.Find("objectGUID");
  if (guid != nullptr && !guid->empty()) {
    std::string text = GuidText(guid->front());
    if (!text.empty()) return text;
  }
  return std::nullopt;
}

Username CanonicalName(const LdapEntry& entry, const LdapIdentityRules& rules, const Username& asked) {
  const auto* values = rules.username.empty() ? nullptr : entry.Find(rules.username);
  std::optional<Username> least;
  if (values != nullptr) {
    for (const std::string& value : *values) {
      const auto name = Username::Normalize(value, rules.case_rule);
      if (name.ok() && (!least || name->view() < least->view())) least = *name;
    }
  }
  return least.value_or(asked);
}

absl::StatusOr<Identity> IdentityOf(absl::string_view username, absl::string_view subject, IdentityDetails details) {
  size_t size = subject.size();
  for (const std::string& group : details.groups) size += group.size();
  for (const auto& [name, value] : details.attributes) size += name.size() + value.size();
  if (subject.size() > kMaxSubjectSize || details.groups.size() > kMaxGroups ||
      details.attributes.size() > kMaxAttributes || size > kMaxIdentitySize) {
    return absl::UnavailableError(
        absl::StrCat("an entry is too large: ", details.groups.size(), " groups, ", size, " bytes"));
  }
  const bool has_details = !details.groups.empty() || !details.attributes.empty();
  return Identity(username, subject,
                  has_details ? Shared<IdentityDetails>(std::move(details)) : Shared<IdentityDetails>());
}

// Active Directory gives long lists in parts, under names such as "memberOf;range=0-1499".
bool IsPart(const LdapEntry& entry, absl::string_view attribute) {
  const std::string prefix = absl::StrCat(attribute, ";range=");
  return std::any_of(entry.attributes.begin(), entry.attributes.end(),
                     [&prefix](const auto& found) { return absl::StartsWithIgnoreCase(found.first, prefix); });
}

}  // namespace

std::vector<std::string> AttributesToRead(const LdapIdentityRules& rules) {
  std::vector<std::string> names = {"entryUUID", "objectGUID"};
  if (rules.password_stamp) names.insert(names.end(), {"pwdLastSet", "pwdChangedTime"});
  if (!rules.username.empty()) names.push_back(rules.username);
  if (!rules.groups.empty()) names.push_back(rules.groups);
  names.insert(names.end(), rules.attributes.begin(), rules.attributes.end());
  return names;
}

absl::StatusOr<Account> AccountOf(const LdapEntry& entry, const LdapIdentityRules& rules, const Username& asked) {
  const LdapLocator locator = {.dn = entry.dn, .password_stamp = PasswordStampIn(entry)};
  Account account = {.name = CanonicalName(entry, rules, asked), .locator = locator.Text()};
  account.subject = DirectorySubject(entry).value_or(PlainSubject(rules, account.name));
  IdentityDetails details;
  if (!rules.groups.empty()) {
    if (IsPart(entry, rules.groups)) return absl::UnavailableError("an entry has more groups than the directory tells");
    if (const auto* groups = entry.Find(rules.groups)) {
      for (const std::string& group : *groups) {
        if (!IsUtf8(group)) continue;
        details.groups.push_back(group);
      }
    }
  }
  for (const std::string& name : rules.attributes) {
    const auto* values = entry.Find(name);
    if (values == nullptr) continue;
    const auto value = std::find_if(values->begin(), values->end(), [](const std::string& v) { return IsUtf8(v); });
    if (value == values->end()) continue;
    details.attributes.emplace_back(name, *value);
  }
  std::sort(details.attributes.begin(), details.attributes.end());
  auto identity = IdentityOf(account.name.view(), account.subject, std::move(details));
  if (!identity.ok()) return identity.status();
  account.identity = *std::move(identity);
  return account;
}

absl::StatusOr<Identity> WithGroups(const Identity& identity, std::vector<std::string> groups) {
  IdentityDetails details = {.attributes = identity.details().attributes};
  std::copy_if(std::make_move_iterator(groups.begin()), std::make_move_iterator(groups.end()),
               std::back_inserter(details.groups), [](const std::string& group) { return IsUtf8(group); });
  return IdentityOf(identity.username(), identity.subject(), std::move(details));
}

std::string LdapLocator::Text() const { return absl::StrCat(password_stamp, " ", dn); }

LdapLocator LdapLocator::Of(absl::string_view text) {
  const size_t blank = text.find(' ');
  LdapLocator locator;
  if (blank == absl::string_view::npos || !absl::SimpleAtoi(text.substr(0, blank), &locator.password_stamp)) return {};
  locator.dn = std::string(text.substr(blank + 1));
  return locator;
}

Identity PlainIdentity(const LdapIdentityRules& rules, const Username& name) {
  return Identity(name.view(), PlainSubject(rules, name));
}

std::string GuidText(absl::string_view bytes) {
  static constexpr std::array<int, 16> kOrder = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  if (bytes.size() != kOrder.size()) return "";
  std::string ordered;
  for (const int at : kOrder) ordered += bytes[static_cast<size_t>(at)];
  const std::string hex = absl::BytesToHexString(ordered);
  const absl::string_view text = hex;
  return absl::StrCat(text.substr(0, 8), "-", text.substr(8, 4), "-", text.substr(12, 4), "-", text.substr(16, 4), "-",
                      text.substr(20));
}

}  // namespace credcache
