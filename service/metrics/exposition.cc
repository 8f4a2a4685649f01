#include "metrics/exposition.h"

namespace credcache {
namespace {

std::vector<prometheus::ClientMetric::Label> ToLabels(Labels labels) {
  std::vector<prometheus::ClientMetric::Label> out;
  out.reserve(labels.size());
  for (const auto& [name, value] : labels) out.push_back({name, std::string(value)});
  return out;
}

}  // namespace

FamilyBuilder::FamilyBuilder(const FamilySpec& spec) {
  family_.name = spec.name;
  family_.help = spec.help;
  family_.type = spec.type;
}

void FamilyBuilder::Add(Labels labels, double value) {
  prometheus::ClientMetric& metric = family_.metric.emplace_back();
  metric.label = ToLabels(labels);
  if (family_.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void FamilyBuilder::Add(Labels labels, const LatencyHistogram::Reading& reading) {
  prometheus::ClientMetric& metric = family_.metric.emplace_back();
  metric.label = ToLabels(labels);
  uint64_t cumulative = 0;
  for (size_t i = 0; i < kLatencyBounds.size(); ++i) {
    cumulative += reading.buckets[i];
    // Divided, not multiplied: so 0.0025 comes out as the nearest double, which prints as 0.0025.
    metric.histogram.bucket.push_back({cumulative, static_cast<double>(kLatencyBounds[i]) / 1e9});
  }
  // The serializer adds the +Inf bucket from the count.
  metric.histogram.sample_count = cumulative + reading.buckets.back();
  metric.histogram.sample_sum = static_cast<double>(reading.sum_nanoseconds) / 1e9;
}

void FamilyBuilder::AppendTo(std::vector<prometheus::MetricFamily>& out) && {
  if (!family_.metric.empty()) out.push_back(std::move(family_));
}

}  // namespace credcache
