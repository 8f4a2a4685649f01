// The words of an answer (api.md, section 1), for code, metrics, logs and audit alike.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace credcache {

// What callers are told of a credential.
enum class Outcome : uint8_t { kAccepted, kRejected, kThrottled, kAccountDisabled, kPasswordExpired };
inline constexpr int kOutcomes = 5;

// How a verdict came about. kNone: decided without cache or backend (an empty password, a realm that does not exist).
enum class Source : uint8_t { kNone, kCache, kBackend, kCoalesced, kStale };
inline constexpr int kSources = 5;

// Why the cache could not answer.
enum class MissReason : uint8_t { kAbsent, kAge, kIdle, kDigest, kQuarantine, kNoLease, kDisabled, kMaxAge };
inline constexpr int kMissReasons = 8;

// What an answer of THROTTLED is for (design, section 5, shield and budget).
enum class ThrottleReason : uint8_t {
  kAccount,       // too many different passwords were tried for the account; the address is not known for it
  kKnownAddress,  // the same, from that one known address
  kAddress,       // too many different users failed at the address
  kBudget,        // one more rejection might make the directory lock the account
};
inline constexpr int kThrottleReasons = 4;

// Lower case with underscores, as metrics label them: "accepted", "account_disabled", "max_age".
absl::string_view Name(Outcome outcome);
absl::string_view Name(Source source);
absl::string_view Name(MissReason reason);
absl::string_view Name(ThrottleReason reason);

}  // namespace credcache
