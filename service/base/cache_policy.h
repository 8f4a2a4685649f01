// What a realm's configuration says of remembering.
#pragma once

#include "absl/time/time.h"

namespace credcache {

// Defaults are api.md's.
struct CachePolicy {
  absl::Duration age_limit = absl::Minutes(120);
  absl::Duration idle_limit = absl::Minutes(15);
  absl::Duration negative_first = absl::Seconds(30);
  // Zero: no negative entries. The configuration allows 5 min at most where no change feed runs.
  absl::Duration negative_longest = absl::Minutes(30);
  bool refresh_ahead = true;
  absl::Duration stale_grace = absl::ZeroDuration();
  absl::Duration quarantine = absl::Seconds(5);
  bool supersede = true;

  friend bool operator==(const CachePolicy&, const CachePolicy&) = default;
};

}  // namespace credcache
