#include "metrics/latency_histogram.h"

#include <algorithm>

namespace credcache {

void LatencyHistogram::Observe(absl::Duration duration) {
  const int64_t nanoseconds = std::max<int64_t>(absl::ToInt64Nanoseconds(duration), 0);
  const auto bound = std::lower_bound(kLatencyBounds.begin(), kLatencyBounds.end(), nanoseconds);
  buckets_[static_cast<size_t>(bound - kLatencyBounds.begin())].Add();
  sum_nanoseconds_.Add(static_cast<uint64_t>(nanoseconds));
}

uint64_t LatencyHistogram::Reading::Total() const {
  uint64_t total = 0;
  for (const uint64_t count : buckets) total += count;
  return total;
}

void LatencyHistogram::Reading::Add(const LatencyHistogram& histogram) {
  for (size_t i = 0; i < buckets.size(); ++i) buckets[i] += histogram.buckets_[i].Read();
  sum_nanoseconds += histogram.sum_nanoseconds_.Read();
}

}  // namespace credcache
