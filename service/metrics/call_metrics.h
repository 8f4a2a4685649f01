// What is counted of one gRPC method. On the way of every hit, like RealmMetrics.
#pragma once

#include <array>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/striped.h"
#include "metrics/latency_histogram.h"

namespace credcache {

// gRPC's status codes, OK to UNAUTHENTICATED: the numbers are Abseil's too.
inline constexpr int kStatusCodes = 17;

// Thread-safe, without locks. Lives as long as the Metrics that gave it.
class CallMetrics {
 public:
  CallMetrics() = default;
  CallMetrics(const CallMetrics&) = delete;
  CallMetrics& operator=(const CallMetrics&) = delete;

  // One call, from its arrival to its status. A code that gRPC does not know counts as UNKNOWN.
  void Count(absl::StatusCode code, absl::Duration duration);

  LatencyHistogram::Reading Durations(absl::StatusCode code) const;

 private:
  struct Cells {
    std::array<LatencyHistogram, kStatusCodes> by_code;
  };
  Striped<Cells> cells_;
};

}  // namespace credcache
