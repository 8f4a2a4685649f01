#include "backends/ldap_groups.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "backends/ldap_dn.h"

namespace credcache {
namespace {

constexpr const char* kMember = "member";
constexpr const char* kUniqueMember = "uniqueMember";
// Active Directory's, greater after each change of the entry.
constexpr const char* kVersion = "uSNChanged";

}  // namespace

std::vector<std::string> LdapGroups::Attributes() { return {kMember, kUniqueMember, kVersion}; }

uint64_t LdapGroups::HashOf(const std::string& dn) {
  const std::string guid = GuidInDn(dn);
  return absl::HashOf(guid.empty() ? ComparableDn(dn) : guid);
}

void LdapGroups::BeginRefresh() { ++refresh_; }

LdapGroups::Group LdapGroups::Describe(const LdapEntry& entry) {
  Group group = {.dn = HashOf(entry.dn), .name = absl::HashOf(ComparableDn(PlainDn(entry.dn)))};
  for (const auto& [name, values] : entry.attributes) {
    const absl::string_view attribute = absl::string_view(name).substr(0, name.find(';'));
    if (!absl::EqualsIgnoreCase(attribute, kMember) && !absl::EqualsIgnoreCase(attribute, kUniqueMember)) continue;
    for (const std::string& value : values) group.members.push_back(HashOf(value));
    // Active Directory gives long lists in parts, under names such as "member;range=0-1499".
    if (attribute.size() == name.size()) continue;
    const auto* version = entry.Find(kVersion);
    group.part = absl::HashOf(version == nullptr || version->empty() ? "" : version->front()) | 1;
  }
  std::sort(group.members.begin(), group.members.end());
  return group;
}

void LdapGroups::Put(const SyncUuid& uuid, const LdapEntry& entry) {
  Group now = Describe(entry);
  now.refresh = refresh_;
  Group& group = groups_[uuid];
  if (group.part != now.part) everything_ = everything_ || refreshed_once_;
  if (group.name == now.name) {
    std::vector<uint64_t> differing;
    std::set_symmetric_difference(group.members.begin(), group.members.end(), now.members.begin(), now.members.end(),
                                  std::back_inserter(differing));
    Tell(differing);
  } else {
    Tell(group);
    Tell(now);
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
  Tell(found->second);
  groups_.erase(found);
}

void LdapGroups::RemoveUnlisted() {
  absl::erase_if(groups_, [this](const auto& entry) {
    if (entry.second.refresh == refresh_) return false;
    Tell(entry.second);
    return true;
  });
}

void LdapGroups::EndRefresh() { refreshed_once_ = true; }

LdapGroups::Changed LdapGroups::TakeChanged() {
  Changed changed = {.everything = std::exchange(everything_, false), .dns = std::exchange(changed_, {})};
  if (nesting_ == Nesting::kCounts && !changed.dns.empty()) AddMembersOfGroups(changed);
  return changed;
}

void LdapGroups::Tell(const Group& group) {
  Tell(group.members);
  if (group.part != 0 && refreshed_once_) everything_ = true;
}

void LdapGroups::Tell(const std::vector<uint64_t>& members) {
  if (!refreshed_once_) return;
  changed_.insert(changed_.end(), members.begin(), members.end());
}

// As it is now: of whoever was in a group before, that change itself has told.
void LdapGroups::AddMembersOfGroups(Changed& changed) const {
  std::vector<uint64_t>& dns = changed.dns;
  absl::flat_hash_map<uint64_t, const Group*> unseen;  // by DN
  for (const auto& [uuid, group] : groups_) unseen.emplace(group.dn, &group);
  for (size_t i = 0; i < dns.size(); ++i) {  // it grows
    const auto found = unseen.find(dns[i]);
    if (found == unseen.end()) continue;
    const Group* group = found->second;
    unseen.erase(found);
    if (group->part != 0) changed.everything = true;
    dns.insert(dns.end(), group->members.begin(), group->members.end());
  }
}

}  // namespace credcache
