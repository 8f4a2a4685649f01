#include "metrics/call_metrics.h"

namespace credcache {

void CallMetrics::Count(absl::StatusCode code, absl::Duration duration) {
  auto index = static_cast<size_t>(code);
  if (index >= kStatusCodes) index = static_cast<size_t>(absl::StatusCode::kUnknown);
  cells_.Local().by_code[index].Observe(duration);
}

LatencyHistogram::Reading CallMetrics::Durations(absl::StatusCode code) const {
  LatencyHistogram::Reading reading;
  cells_.ForEach([&](const Cells& cells) { reading.Add(cells.by_code[static_cast<size_t>(code)]); });
  return reading;
}

}  // namespace credcache
