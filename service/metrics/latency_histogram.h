// How long things take: counts in fixed buckets from 1 µs (an answer from the cache) to 10 s (a directory that hangs).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "base/striped.h"

namespace credcache {

// The upper bounds, inclusive, in nanoseconds; above the last is one bucket more.
inline constexpr std::array<int64_t, 22> kLatencyBounds = {
    1'000,       2'500,       5'000,         10'000,        25'000,        50'000,        100'000,    250'000,
    500'000,     1'000'000,   2'500'000,     5'000'000,     10'000'000,    25'000'000,    50'000'000, 100'000'000,
    250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};

// Thread-safe: an observation is two relaxed additions, without a lock. Negative durations count as zero.
class LatencyHistogram {
 public:
  void Observe(absl::Duration duration);

  // Sums of several histograms (stripes), read once, so that count and buckets agree with each other.
  struct Reading {
    std::array<uint64_t, kLatencyBounds.size() + 1> buckets = {};  // not cumulative
    uint64_t sum_nanoseconds = 0;

    uint64_t Total() const;
    void Add(const LatencyHistogram& histogram);
  };

 private:
  std::array<Count, kLatencyBounds.size() + 1> buckets_;
  Count sum_nanoseconds_;
};

}  // namespace credcache
