// Who is in which group, by the groups' own entries: a directory that computes memberOf from them (OpenLDAP's overlay
// memberof) does not tell of the change in the member's entry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "backends/ldap_sync.h"

namespace credcache {

// Whether who is in a group counts as being in those that hold it, too.
enum class Nesting : uint8_t { kNone, kCounts };

// Not thread-safe. Keeps 8 bytes of each membership.
//
// Where the directory gives extended DNs, members are known by their GUIDs: a directory that does so (Active Directory)
// tells nobody that a member's name in the group's entry has changed.
class LdapGroups final : public LdapSyncedContent {
 public:
  explicit LdapGroups(Nesting nesting = Nesting::kNone) : nesting_(nesting) {}

  static constexpr const char* kFilter = "(|(member=*)(uniqueMember=*))";
  static std::vector<std::string> Attributes();

  void BeginRefresh() override;
  void Put(const SyncUuid& uuid, const LdapEntry& entry) override;
  void Keep(const SyncUuid& uuid) override;
  void Remove(const SyncUuid& uuid) override;
  void RemoveUnlisted() override;
  void EndRefresh() override;

  // Whose groups changed since the last call, of the users and, where nesting counts, of the groups. Nothing of what
  // the first refresh finds.
  struct Changed {
    bool everything = false;    // a group has more members than the directory tells at once
    std::vector<uint64_t> dns;  // hashes (HashOf) of their DNs
  };
  Changed TakeChanged();

  // Of a DN, however it is written; of an extended one, of its GUID alone.
  static uint64_t HashOf(const std::string& dn);

 private:
  struct Group {
    std::vector<uint64_t> members;  // hashes of their DNs, sorted
    uint64_t dn = 0;                // its own, for those that hold it
    uint64_t name = 0;              // a group with another name is another to all of its members
    uint64_t part = 0;              // of what tells its states apart, if not all members are told; else 0
    uint32_t refresh = 0;
  };
  static Group Describe(const LdapEntry& entry);
  void Tell(const Group& group);
  void Tell(const std::vector<uint64_t>& members);
  void AddMembersOfGroups(Changed& changed) const;

  const Nesting nesting_;
  absl::flat_hash_map<SyncUuid, Group> groups_;  // by entryUUID or objectGUID
  std::vector<uint64_t> changed_;
  bool everything_ = false;
  uint32_t refresh_ = 0;
  bool refreshed_once_ = false;
};

}  // namespace credcache
