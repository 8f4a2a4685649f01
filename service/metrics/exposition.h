// From counts to what prometheus-cpp serializes.
#pragma once

#include <initializer_list>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "metrics/latency_histogram.h"
#include "metrics/metric_families.h"
#include "prometheus/metric_family.h"

namespace credcache {

using Labels = std::initializer_list<std::pair<const char*, absl::string_view>>;

// One family under construction. Not thread-safe.
class FamilyBuilder {
 public:
  explicit FamilyBuilder(const FamilySpec& spec);

  // A counter's or gauge's sample.
  void Add(Labels labels, double value);
  // A histogram's.
  void Add(Labels labels, const LatencyHistogram::Reading& reading);

  // The family, unless it has no sample: then nothing is appended.
  void AppendTo(std::vector<prometheus::MetricFamily>& out) &&;

 private:
  prometheus::MetricFamily family_;
};

}  // namespace credcache
