// How often which latency was seen: a log-linear histogram, 128 buckets for each power of two, so that a bucket's
// bounds are less than 0.8 % apart. Minimum, maximum and mean are exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace credcache::load {

// Values are nanoseconds. Not thread-safe.
class Histogram {
 public:
  Histogram();

  void Record(uint64_t value, uint64_t times = 1);

  uint64_t count() const { return count_; }
  uint64_t min() const { return count_ == 0 ? 0 : min_; }
  uint64_t max() const { return max_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

  // What `share` (0 to 1) of the values are at most: the upper bound of its bucket, and never above the maximum. 0 when
  // nothing was recorded.
  uint64_t Percentile(double share) const;

  // (upper bound, count) of the buckets that hold something, in order. A bucket holds the values up to its bound.
  std::vector<std::pair<uint64_t, uint64_t>> Buckets() const;

 private:
  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  uint64_t min_ = UINT64_MAX;
  uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace credcache::load
