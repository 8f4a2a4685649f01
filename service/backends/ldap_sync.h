// Follows one search by content synchronisation (RFC 4533, refreshAndPersist), over as many connections as it takes.
#pragma once

#include <array>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "backends/ldap_connection.h"

namespace credcache {

// An entryUUID, as bytes.
using SyncUuid = std::array<char, 16>;
inline SyncUuid SyncUuidOf(absl::string_view bytes) {
  SyncUuid uuid = {};
  bytes.copy(uuid.data(), uuid.size());
  return uuid;
}

// Who keeps what such a search finds.
class LdapSyncedContent {
 public:
  virtual ~LdapSyncedContent() = default;

  virtual void BeginRefresh() = 0;
  virtual void Put(const SyncUuid& uuid, const LdapEntry& entry) = 0;  // new, or as it is now
  virtual void Keep(const SyncUuid& uuid) = 0;                         // still there, as it was
  virtual void Remove(const SyncUuid& uuid) = 0;                       // gone, or out of the search's reach
  virtual void RemoveUnlisted() = 0;  // what was neither put nor kept since BeginRefresh is gone
  virtual void EndRefresh() = 0;      // all is as the directory holds it; from now on changes come as they happen
};

// Not thread-safe; does no I/O itself.
//
// A refresh is by the cookie of the last one where the same server gave it, so that only what changed meanwhile comes.
// A cookie counts once all that it stands for was taken: one that comes in the middle of a refresh does not outlive it.
class LdapSync {
 public:
  // `content` must outlive it.
  explicit LdapSync(LdapSyncedContent& content) : content_(content) {}

  // A search begins at `server`: the value of its Sync Request control.
  std::string Begin(absl::string_view server);

  // One message of that search. UNAVAILABLE: the search has ended, or cannot be followed; begin another.
  absl::Status Take(const LdapEvent& event);

  // Whether the refresh is over.
  bool refreshed() const { return refreshed_; }

 private:
  absl::Status TakeEntry(const LdapEvent& event);
  absl::Status TakeInfo(absl::string_view value);
  absl::Status TakeResult(const LdapEvent& event);
  void RemoveUnlisted();
  void Finish();

  LdapSyncedContent& content_;
  std::string server_;  // whose cookie it is
  std::string cookie_;
  // Of the search that goes on.
  std::string next_cookie_;
  bool whole_ = true;  // it began without a cookie, so all that there is will be listed
  bool removed_unlisted_ = false;
  bool refreshed_ = false;
};

}  // namespace credcache
