// A replica's statistics for people. Pure functions over messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "credcache/v1/stats.pb.h"

namespace credcache::cli {

// What a replica said, and when it was heard.
struct StatsSample {
  absl::Time at;
  v1::StatsResponse stats;
};

// How fast counters grow between two samples of one process.
class Rates {
 public:
  // None when `before` is missing, or is from before a restart: counters began anew.
  static std::optional<Rates> Between(const std::optional<StatsSample>& before, const StatsSample& now);

  double PerSecond(uint64_t before, uint64_t now) const;
  const v1::StatsResponse& before() const { return *before_; }

 private:
  Rates(const v1::StatsResponse& before, double seconds) : before_(&before), seconds_(seconds) {}

  const v1::StatsResponse* before_;
  double seconds_;
};

// The share of look-ups that the cache answered, 0 to 1; none without look-ups. `before` may be empty: since the start.
std::optional<double> HitRatio(const v1::CacheStats& before, const v1::CacheStats& now);

// Everything that `now` holds: the replica, the cache, its backends, and realms and buckets where there are any. With
// `before`, rates per second beside the counters, and the hit ratio between the two.
std::string RenderStats(const StatsSample& now, const std::optional<StatsSample>& before);

}  // namespace credcache::cli
