// The standard metrics of a process (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics).
#pragma once

#include <vector>

#include "prometheus/metric_family.h"

namespace credcache {

// Appends the process_* families, read from /proc and getrlimit. What cannot be read is left out. Thread-safe.
void AppendProcessMetrics(std::vector<prometheus::MetricFamily>& out);

}  // namespace credcache
