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

// A DN in one of the many ways to write it. Not fit for sending: case is lost.
std::string ComparableDn(const std::string& dn);

// Not thread-safe. Keeps 8 bytes of each membership.
class LdapGroups final : public LdapSyncedContent {
 public:
  static constexpr const char* kFilter = "(|(member=*)(uniqueMember=*))";
  static std::vector<std::string> Attributes() { return {"member", "uniqueMember"}; }

  void BeginRefresh() override;
  void Put(const SyncUuid& uuid, const LdapEntry& entry) override;
  void Keep(const SyncUuid& uuid) override;
  void Remove(const SyncUuid& uuid) override;
  void RemoveUnlisted() override;
  void EndRefresh() override;

  // Hashes (HashOf) of the DNs whose groups changed since the last call. Nothing before the end of a refresh, nor of
  // what the first one found.
  std::vector<uint64_t> TakeChanged();

  // Of a DN, however it is written.
  static uint64_t HashOf(const std::string& dn);

 private:
  struct Group {
    std::vector<uint64_t> members;  // hashes of their DNs, sorted
    uint64_t dn = 0;                // its own: a group with another name is another to all of them
    uint32_t refresh = 0;
  };
  void Tell(const std::vector<uint64_t>& members);

  absl::flat_hash_map<SyncUuid, Group> groups_;  // by entryUUID
  std::vector<uint64_t> changed_;
  uint32_t refresh_ = 0;
  bool refreshing_ = false;
  bool refreshed_once_ = false;
};

}  // namespace credcache
