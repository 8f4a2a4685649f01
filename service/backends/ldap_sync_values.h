// The values of RFC 4533's controls and messages (LDAP content synchronisation). Pure functions over bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace credcache {

// The Sync Request control's value, for refreshAndPersist. An empty `cookie`: from the beginning.
std::string SyncRequestValue(absl::string_view cookie);

// The Sync State control's, which each entry of such a search bears.
struct SyncState {
  enum class Kind : uint8_t { kPresent, kAdd, kModify, kDelete };
  Kind kind = Kind::kPresent;
  std::string uuid;  // 16 bytes
  std::optional<std::string> cookie;
};
absl::StatusOr<SyncState> ParseSyncState(absl::string_view value);

// The Sync Info message's.
struct SyncInfo {
  enum class Kind : uint8_t { kNewCookie, kRefreshDelete, kRefreshPresent, kIdSet };
  Kind kind = Kind::kNewCookie;
  std::optional<std::string> cookie;
  bool refresh_done = false;       // of the two refresh kinds: nothing more belongs to the refresh
  bool refresh_deletes = false;    // of an id set: those are gone, rather than still there
  std::vector<std::string> uuids;  // of an id set
};
absl::StatusOr<SyncInfo> ParseSyncInfo(absl::string_view value);

}  // namespace credcache
