// What Active Directory tells of its changes, and what there is: brings the two together.
#pragma once

#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "backends/ldap_connection.h"
#include "backends/ldap_sync.h"

namespace credcache {

// A notice (the change notification control, MS-ADTS, 3.1.1.3.4.1.9) is an entry as it is after a change. What changed
// while nobody listened is told to nobody later, so all there is must be read then, while notices come already.
//
// Not thread-safe; does no I/O itself. Entries bear objectGUID, objectClass, isDeleted and extended DNs
// (3.1.1.3.4.1.5).
class LdapNotices {
 public:
  // `base`: where the accounts are. `groups`: null: nobody wants to know of groups. The contents must outlive it.
  LdapNotices(std::string base, LdapSyncedContent& accounts, LdapSyncedContent* groups)
      : base_(std::move(base)), accounts_(accounts), groups_(groups) {}

  // A new connection: what the last one was about to read no longer counts.
  void Begin();

  // kRollCall: entries come without what is in them, only to see which are still there.
  enum class Reading : uint8_t { kWhole, kRollCall };
  void BeginReading(Reading kind);
  void TakeRead(const LdapEntry& entry);
  void EndReading();
  bool reading() const { return reading_.has_value(); }

  void TakeNotice(const LdapEntry& entry);

  // Whether the whole must be read again, which notices do not tell: a container was moved, so all below it was.
  bool outdated() const { return outdated_; }
  // Whether notices tell what is deleted. They do to who may see deleted objects, which by default only administrators
  // may.
  bool sees_deletions() const { return sees_deletions_; }

 private:
  void Put(const SyncUuid& uuid, const LdapEntry& entry);
  void Remove(const SyncUuid& uuid);

  const std::string base_;
  LdapSyncedContent& accounts_;
  LdapSyncedContent* const groups_;
  std::optional<Reading> reading_;
  // Of whom notices came during the reading: those are newer than what is read, or as new.
  absl::flat_hash_set<SyncUuid> noticed_;
  bool outdated_ = false;
  bool sees_deletions_ = false;
};

}  // namespace credcache
