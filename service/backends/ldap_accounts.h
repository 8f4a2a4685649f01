// What the directory was last heard to say of each account, so that a change which makes a difference is told from one
// that makes none.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "backends/ldap_identity.h"
#include "backends/ldap_options.h"
#include "backends/ldap_sync.h"
#include "base/names.h"
#include "base/random.h"

namespace credcache {

// A short keyed hash, with a key of the process's own. Not of use to anybody who has not this process's memory.
class Fingerprinter {
 public:
  explicit Fingerprinter(Randomness& randomness) { randomness.Fill(key_); }
  uint64_t Of(const std::vector<absl::string_view>& fields) const;

 private:
  std::array<uint8_t, 32> key_;
};

// Accounts, or so many that to name them costs more than to forget all.
struct ChangedAccounts {
  bool everything = false;
  std::vector<std::string> names;  // canonical and normalised

  bool empty() const { return !everything && names.empty(); }
};

// Not thread-safe. Keeps a name and 56 bytes of each account: no password, only fingerprints (Fingerprinter).
//
// A change makes a difference to an account when its DN, names, groups, attributes that the identity holds or the
// filter looks at, lock, expiry or password differ. userPassword and Active Directory's pwdLastSet tell every change of
// the password. Where the directory shows neither, pwdChangedTime (ppolicy) tells most, and entryCSN the rest: any
// change counts that the watched attributes do not explain. The marks that a bind leaves (pwdFailureTime,
// pwdLastSuccess) do explain one: else each wrong password would drive out the right one.
class LdapAccounts final : public LdapSyncedContent {
 public:
  LdapAccounts(const LdapIdentityRules& rules, absl::string_view filter, const Fingerprinter& fingerprinter);

  // What to ask for of each entry.
  std::vector<std::string> attributes() const;
  // What only entries match by which somebody can log on.
  std::string filter() const;

  void BeginRefresh() override;
  void Put(const SyncUuid& uuid, const LdapEntry& entry) override;
  void Keep(const SyncUuid& uuid) override;
  void Remove(const SyncUuid& uuid) override;
  void RemoveUnlisted() override;
  void EndRefresh() override;

  // What changed since the last call, as far as a refresh that goes on has found it. After the first refresh that is
  // everything, since nobody knows what was remembered before.
  ChangedAccounts TakeChanged();

  // The same of accounts that others found to differ: by LdapGroups::HashOf of their DNs.
  void MarkChanged(std::vector<uint64_t> dns);

  size_t size() const { return records_.size(); }

 private:
  struct Record {
    std::string name;         // the canonical one; where the entry has none, all by which it may be found, in lines
    uint64_t watched = 0;     // of all that makes a difference by itself
    uint64_t password = 0;    // of userPassword or pwdLastSet; 0: not shown
    uint64_t names = 0;       // of other_names
    uint64_t bind_marks = 0;  // of what a bind leaves
    uint64_t csn = 0;         // of entryCSN; 0: not shown
    uint64_t dn = 0;          // LdapGroups::HashOf
    uint32_t refresh = 0;     // the last one that listed it
  };
  struct Description {
    Record record;
    std::vector<std::string> other_names;  // further names that find the entry, for what is remembered of them
    bool password_changed_lately = false;  // before the entry's last change
  };

  Description Describe(const LdapEntry& entry) const;
  std::vector<std::string> NamesIn(const LdapEntry& entry, const std::vector<std::string>& attributes) const;
  bool Watches(absl::string_view attribute) const;
  bool Differs(const Record& before, const Description& now) const;
  void Tell(absl::string_view names);

  const CaseRule case_rule_;
  const std::vector<std::string> username_;  // the attribute of the canonical name, if there is one
  const std::vector<std::string> names_;     // attributes by which a name that logs on is found
  std::vector<std::string> watched_;
  const Fingerprinter& fingerprinter_;

  absl::flat_hash_map<SyncUuid, Record> records_;  // by entryUUID or objectGUID
  std::vector<std::string> changed_;
  uint32_t refresh_ = 0;
  bool refreshing_ = false;
  bool refreshed_once_ = false;
  bool everything_ = false;
};

}  // namespace credcache
