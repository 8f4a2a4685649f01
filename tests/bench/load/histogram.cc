#include "load/histogram.h"

#include <algorithm>
#include <cmath>

#include "absl/numeric/bits.h"

namespace credcache::load {
namespace {

// Values below 2 * kPerPower have a bucket each; each power of two above has kPerPower.
constexpr int kBits = 7;
constexpr uint64_t kPerPower = uint64_t{1} << kBits;
constexpr size_t kBuckets = (64 - kBits + 1) * kPerPower;

size_t BucketOf(uint64_t value) {
  const int shift = std::max(0, static_cast<int>(absl::bit_width(value)) - kBits - 1);
  return static_cast<size_t>(shift) * kPerPower + (value >> shift);
}

uint64_t UpperBound(size_t bucket) {
  if (bucket < 2 * kPerPower) return bucket;
  const uint64_t shift = bucket / kPerPower - 1;
  return ((bucket % kPerPower + kPerPower + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : counts_(kBuckets) {}

void Histogram::Record(uint64_t value, uint64_t times) {
  counts_[BucketOf(value)] += times;
  count_ += times;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

uint64_t Histogram::Percentile(double share) const {
  const auto rank = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen > 0 && seen >= rank) return std::min(UpperBound(bucket), max_);
  }
  return 0;
}

std::vector<std::pair<uint64_t, uint64_t>> Histogram::Buckets() const {
  std::vector<std::pair<uint64_t, uint64_t>> buckets;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    if (counts_[bucket] > 0) buckets.emplace_back(UpperBound(bucket), counts_[bucket]);
  }
  return buckets;
}

}  // namespace credcache::load
