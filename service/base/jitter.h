// Pauses that many must not make alike.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "base/random.h"

namespace credcache {

// Of the pause, a half to all of it, by chance: replicas that lost the same server do not come back as one.
inline absl::Duration Jittered(absl::Duration pause, Randomness& randomness) {
  const auto half = static_cast<uint64_t>(absl::ToInt64Nanoseconds(pause / 2));
  return pause - absl::Nanoseconds(static_cast<int64_t>(randomness.Below(half + 1)));
}

}  // namespace credcache
