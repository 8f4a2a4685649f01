// What a realm's configuration says of remembering.
#pragma once

#include <algorithm>

#include "absl/time/time.h"

namespace credcache {

// A password that became good is refused for so long at most where nothing tells of the change (design, section 5).
inline constexpr absl::Duration kLongestNegativeWithoutFeed = absl::Minutes(5);

// Defaults are api.md's.
struct CachePolicy {
  absl::Duration age_limit = absl::Minutes(120);
  absl::Duration idle_limit = absl::Minutes(15);
  absl::Duration negative_first = absl::Seconds(30);
  // Zero: no negative entries. The configuration allows 5 min at most where no change feed runs.
  absl::Duration negative_longest = absl::Minutes(30);
  // So long after its life a rejection is remembered at least: no shorter than the backend budget's window, in which it
  // may not be asked again.
  absl::Duration negative_memory = absl::Minutes(30);
  bool refresh_ahead = true;
  absl::Duration stale_grace = absl::ZeroDuration();
  absl::Duration quarantine = absl::Seconds(5);
  bool supersede = true;
  // The age limit while the realm's change feed is down.
  absl::Duration feed_down_age_limit = absl::Minutes(5);
  // A password that was accepted here and has been changed since is refused for so long after its entry's age limit,
  // even where the directory goes on taking it. Zero: what the directory says stands.
  absl::Duration retire = absl::ZeroDuration();

  // What holds while a feed is down.
  CachePolicy WhileFeedIsDown() const {
    CachePolicy policy = *this;
    policy.age_limit = std::min(age_limit, feed_down_age_limit);
    policy.idle_limit = std::min(idle_limit, policy.age_limit);
    policy.negative_longest = std::min(negative_longest, kLongestNegativeWithoutFeed);
    return policy;
  }

  friend bool operator==(const CachePolicy&, const CachePolicy&) = default;
};

}  // namespace credcache
