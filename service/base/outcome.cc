#include "base/outcome.h"

#include <array>

namespace credcache {

absl::string_view Name(Outcome outcome) {
  static constexpr std::array<absl::string_view, kOutcomes> kNames = {"accepted", "rejected", "throttled",
                                                                      "account_disabled", "password_expired"};
  return kNames[static_cast<size_t>(outcome)];
}

absl::string_view Name(Source source) {
  static constexpr std::array<absl::string_view, kSources> kNames = {"none", "cache", "backend", "coalesced", "stale"};
  return kNames[static_cast<size_t>(source)];
}

absl::string_view Name(MissReason reason) {
  static constexpr std::array<absl::string_view, kMissReasons> kNames = {
      "absent", "age", "idle", "digest", "quarantine", "no_lease", "disabled", "max_age"};
  return kNames[static_cast<size_t>(reason)];
}

absl::string_view Name(ThrottleReason reason) {
  static constexpr std::array<absl::string_view, kThrottleReasons> kNames = {"account", "known_address", "address",
                                                                             "budget"};
  return kNames[static_cast<size_t>(reason)];
}

}  // namespace credcache
