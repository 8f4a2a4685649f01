// Any bytes as what a directory sends of its changes (RFC 4533): malformed, or UUIDs of their size; or as a page's
// cookie (RFC 2696): malformed, or a part of them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "backends/ldap_paged_values.h"
#include "backends/ldap_sync_values.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view value(reinterpret_cast<const char*>(data), size);
  const auto state = credcache::ParseSyncState(value);
  if (state.ok()) Check(state->uuid.size() == 16);
  const auto info = credcache::ParseSyncInfo(value);
  if (info.ok()) {
    for (const auto& uuid : info->uuids) Check(uuid.size() == 16);
  }
  const auto cookie = credcache::ParsePagedCookie(value);
  if (cookie.ok()) Check(absl::StrContains(value, *cookie));
  return 0;
}
