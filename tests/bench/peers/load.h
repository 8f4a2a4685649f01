// The load: a closed loop over some lanes, each kept as full as it may be.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "load/histogram.h"
#include "peers/lane.h"

namespace credcache::peers {

struct LoadOptions {
  uint32_t lanes = 1;
  uint32_t users = 1000;
  absl::Duration warm_up = absl::Seconds(1);
  absl::Duration duration = absl::Seconds(5);
  bool prime = false;
  uint64_t seed = 1;
};

// What was measured, up to the end or to the first error. Latencies are nanoseconds.
struct LoadResult {
  absl::Status error;
  double seconds = 0;
  uint64_t requests = 0;
  uint64_t accepted = 0;
  uint64_t rejected = 0;
  load::Histogram latency;
};

// Logs users [0, options.users) on, each with the right password, drawn at random, and with `prime` first each of them
// once. Blocks until the duration is over or a lane has failed. The error: what a lane said, or PERMISSION_DENIED when
// the peer rejected a user, which a peer that knows them all does not.
LoadResult RunLoad(const LoadOptions& options, const LaneFactory& make_lane);

}  // namespace credcache::peers
