// What is counted of one backend of one realm: for scrapes, and for the `backends` of Stats.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/striped.h"
#include "base/waiting.h"
#include "metrics/latency_histogram.h"

namespace credcache {

// How a request to a backend ended.
enum class BackendResult : uint8_t {
  kAccepted,
  kRejected,  // a wrong password
  kUnknownUser,
  kLocked,
  kDisabled,
  kExpired,
  kError,     // no answer: UNAVAILABLE
  kOverload,  // not sent, since too many wait: RESOURCE_EXHAUSTED
  kRefused,   // not sent, since the circuit is open
};
inline constexpr int kBackendResults = 9;

// "accepted", "unknown_user".
absl::string_view Name(BackendResult result);

// Whether a backend tells of changes by itself, and can at this moment.
enum class FeedState : uint8_t { kNone, kDown, kUp };

// Whether a backend is asked. kNone: always, since nothing watches over it.
enum class CircuitState : uint8_t { kNone, kClosed, kHalfOpen, kOpen };

// A backend as it is now.
struct BackendReading {
  bool up = true;  // its last request was answered, or it was not asked yet
  FeedState feed = FeedState::kNone;
  CircuitState circuit = CircuitState::kNone;
  uint64_t in_flight = 0;  // under way or waiting
  uint64_t waiting = 0;    // of those, for a free connection or worker
  uint64_t requests = 0;   // ended ones, of every result
  uint64_t errors = 0;     // kError, kOverload and kRefused among them
  // Over the last BackendMetrics::kRecent requests that were sent; zero before the first.
  absl::Duration latency_median;
  absl::Duration latency_p99;
};

// Thread-safe, without locks. Lives as long as the Metrics that gave it.
class BackendMetrics {
 public:
  static constexpr size_t kRecent = 512;

  BackendMetrics() = default;
  BackendMetrics(const BackendMetrics&) = delete;
  BackendMetrics& operator=(const BackendMetrics&) = delete;

  // Each Begin is followed by one End, with the time between them. An overload's duration is not counted, and does not
  // say that the backend is down: it was never asked.
  void Begin() { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  void End(BackendResult result, absl::Duration duration);
  // Instead of End: the request was a look-up of a name and was answered, which counts nowhere.
  void EndResolve() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }

  // A request that the circuit breaker did not let through: neither Begin nor End.
  void CountRefused() { results_[static_cast<size_t>(BackendResult::kRefused)].Add(); }

  void SetCircuit(CircuitState state) { circuit_.store(state, std::memory_order_relaxed); }
  CircuitState Circuit() const { return circuit_.load(std::memory_order_relaxed); }

  // Told by the backend itself; after a reload by two of them for a moment.
  Waiting& waiting() { return waiting_; }
  const Waiting& waiting() const { return waiting_; }

  // How the backend's change feed is. After a reload the feed from before may still end: only the last that began
  // counts.
  uint64_t BeginFeed();
  void SetFeed(uint64_t feed, FeedState state);
  FeedState Feed() const { return static_cast<FeedState>(feed_.load(std::memory_order_relaxed) % kFeedStates); }

  BackendReading Read() const;
  uint64_t Requests(BackendResult result) const { return results_[static_cast<size_t>(result)].Read(); }
  int64_t InFlight() const { return in_flight_.load(std::memory_order_relaxed); }
  LatencyHistogram::Reading Durations() const;

 private:
  std::atomic<int64_t> in_flight_{0};
  std::atomic<bool> up_{true};
  std::atomic<CircuitState> circuit_{CircuitState::kNone};
  Waiting waiting_{0};
  static constexpr uint64_t kFeedStates = 4;
  std::atomic<uint64_t> feed_{0};  // the feed's number times kFeedStates, and its state
  std::array<Count, kBackendResults> results_;
  LatencyHistogram durations_;
  // A ring: the request that ended as number n is at n % kRecent.
  std::atomic<uint64_t> ended_{0};
  std::array<std::atomic<int64_t>, kRecent> recent_nanoseconds_ = {};
};

}  // namespace credcache
