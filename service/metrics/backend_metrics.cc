#include "metrics/backend_metrics.h"

#include <algorithm>
#include <vector>

namespace credcache {

absl::string_view Name(BackendResult result) {
  static constexpr std::array<absl::string_view, kBackendResults> kNames = {
      "accepted", "rejected", "unknown_user", "locked", "disabled", "expired", "error", "overload", "circuit_open"};
  return kNames[static_cast<size_t>(result)];
}

void BackendMetrics::End(BackendResult result, absl::Duration duration) {
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  results_[static_cast<size_t>(result)].Add();
  if (result == BackendResult::kOverload) return;
  up_.store(result != BackendResult::kError, std::memory_order_relaxed);
  durations_.Observe(duration);
  const uint64_t number = ended_.fetch_add(1, std::memory_order_relaxed);
  recent_nanoseconds_[number % kRecent].store(absl::ToInt64Nanoseconds(duration), std::memory_order_relaxed);
}

uint64_t BackendMetrics::BeginFeed() {
  uint64_t before = feed_.load(std::memory_order_relaxed);
  const auto next = [&before] { return before / kFeedStates + 1; };
  while (!feed_.compare_exchange_weak(before, next() * kFeedStates, std::memory_order_relaxed)) {
  }
  return next();
}

void BackendMetrics::SetFeed(uint64_t feed, FeedState state) {
  uint64_t before = feed_.load(std::memory_order_relaxed);
  while (before / kFeedStates == feed &&
         !feed_.compare_exchange_weak(before, feed * kFeedStates + static_cast<uint64_t>(state),
                                      std::memory_order_relaxed)) {
  }
}

BackendReading BackendMetrics::Read() const {
  BackendReading reading = {.up = up_.load(std::memory_order_relaxed),
                            .feed = Feed(),
                            .circuit = Circuit(),
                            .in_flight = static_cast<uint64_t>(std::max<int64_t>(InFlight(), 0)),
                            .waiting = static_cast<uint64_t>(std::max<int64_t>(waiting_.load(), 0)),
                            .errors = Requests(BackendResult::kError) + Requests(BackendResult::kOverload) +
                                      Requests(BackendResult::kRefused)};
  for (const Count& count : results_) reading.requests += count.Read();

  // A request that ends meanwhile may still show the one before it in its place of the ring: good enough for a median.
  const size_t known = std::min<uint64_t>(ended_.load(std::memory_order_relaxed), kRecent);
  if (known == 0) return reading;
  std::vector<int64_t> recent(known);
  for (size_t i = 0; i < known; ++i) recent[i] = recent_nanoseconds_[i].load(std::memory_order_relaxed);
  std::sort(recent.begin(), recent.end());
  // Nearest rank: the smallest value that at least half, and 99 in 100, do not exceed.
  reading.latency_median = absl::Nanoseconds(recent[(known + 1) / 2 - 1]);
  reading.latency_p99 = absl::Nanoseconds(recent[(known * 99 + 99) / 100 - 1]);
  return reading;
}

LatencyHistogram::Reading BackendMetrics::Durations() const {
  LatencyHistogram::Reading reading;
  reading.Add(durations_);
  return reading;
}

}  // namespace credcache
