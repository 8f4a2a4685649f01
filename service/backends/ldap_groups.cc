#include "backends/ldap_groups.h"

#include <ldap.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"

namespace credcache {

std::string ComparableDn(const std::string& dn) {
  LDAPDN parsed = nullptr;
  char* text = nullptr;
  std::string result = dn;
  if (ldap_str2dn(dn.c_str(), &parsed, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && parsed != nullptr &&
      ldap_dn2str(parsed, &text, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && text != nullptr) {
    result = text;
  }
  ldap_memfree(text);
  ldap_dnfree(parsed);
  absl::AsciiStrToLower(&result);
  return result;
}

uint64_t LdapGroups::HashOf(const std::string& dn) { return absl::HashOf(ComparableDn(dn)); }

void LdapGroups::BeginRefresh() {
  ++refresh_;
  refreshing_ = true;
}

void LdapGroups::Put(const SyncUuid& uuid, const LdapEntry& entry) {
  Group now = {.dn = HashOf(entry.dn), .refresh = refresh_};
  for (const auto& [name, values] : entry.attributes) {
    for (const std::string& value : values) now.members.push_back(HashOf(value));
  }
  std::sort(now.members.begin(), now.members.end());
  Group& group = groups_[uuid];
  if (group.dn == now.dn) {
    std::vector<uint64_t> differing;
    std::set_symmetric_difference(group.members.begin(), group.members.end(), now.members.begin(), now.members.end(),
                                  std::back_inserter(differing));
    Tell(differing);
  } else {
    Tell(group.members);
    Tell(now.members);
  }
  group = std::move(now);
}

void LdapGroups::Keep(const SyncUuid& uuid) {
  const auto found = groups_.find(uuid);
  if (found != groups_.end()) found->second.refresh = refresh_;
}

void LdapGroups::Remove(const SyncUuid& uuid) {
  const auto found = groups_.find(uuid);
  if (found == groups_.end()) return;
  Tell(found->second.members);
  groups_.erase(found);
}

void LdapGroups::RemoveUnlisted() {
  absl::erase_if(groups_, [this](const auto& entry) {
    if (entry.second.refresh == refresh_) return false;
    Tell(entry.second.members);
    return true;
  });
}

void LdapGroups::EndRefresh() {
  refreshing_ = false;
  refreshed_once_ = true;
}

std::vector<uint64_t> LdapGroups::TakeChanged() {
  if (refreshing_) return {};
  return std::exchange(changed_, {});
}

void LdapGroups::Tell(const std::vector<uint64_t>& members) {
  if (!refreshed_once_) return;
  changed_.insert(changed_.end(), members.begin(), members.end());
}

}  // namespace credcache
