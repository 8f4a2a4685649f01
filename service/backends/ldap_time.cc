#include "backends/ldap_time.h"

#include <algorithm>

#include "absl/strings/numbers.h"

namespace credcache {

std::optional<absl::Time> GeneralizedTimeIn(const LdapEntry& entry, absl::string_view attribute) {
  const auto* values = entry.Find(attribute);
  absl::Time time;
  if (values == nullptr || values->empty() || values->front().size() < 14 ||
      !absl::ParseTime("%E4Y%m%d%H%M%S", values->front().substr(0, 14), absl::UTCTimeZone(), &time, nullptr)) {
    return std::nullopt;
  }
  return time;
}

int64_t PasswordStampIn(const LdapEntry& entry) {
  int64_t stamp = 0;
  if (const auto* set = entry.Find("pwdLastSet"); set != nullptr && !set->empty()) {
    // 0: it must be changed first, so nobody is accepted with it.
    return absl::SimpleAtoi(set->front(), &stamp) ? std::max(stamp, int64_t{0}) : 0;
  }
  const auto changed = GeneralizedTimeIn(entry, "pwdChangedTime");
  return changed ? std::max(absl::ToUnixSeconds(*changed), int64_t{0}) : 0;
}

}  // namespace credcache
