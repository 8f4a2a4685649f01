#include "load/report.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/table.h"

namespace credcache::load {
namespace {

using Json = nlohmann::ordered_json;

struct NamedPercentile {
  const char* name;   // in JSON
  const char* title;  // in the table
  double share;
};
constexpr NamedPercentile kPercentiles[] = {
    {"p50", "p50", 0.5}, {"p90", "p90", 0.9}, {"p99", "p99", 0.99}, {"p99_9", "p99.9", 0.999}};

const char* Name(Method method) {
  switch (method) {
    case Method::kUnary:
      return "unary";
    case Method::kBatch:
      return "batch";
    case Method::kStream:
      return "stream";
  }
  return "";
}

double Microseconds(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

// Three figures after the point: no more is known.
double Rounded(double value) { return std::round(value * 1e3) / 1e3; }

Json LatencyJson(const Histogram& histogram) {
  Json json = {{"min", Microseconds(histogram.min())}, {"mean", Rounded(histogram.mean() / 1e3)}};
  for (const NamedPercentile& percentile : kPercentiles) {
    json[percentile.name] = Microseconds(histogram.Percentile(percentile.share));
  }
  json["max"] = Microseconds(histogram.max());
  return json;
}

double Rate(uint64_t count, double seconds) { return seconds > 0 ? static_cast<double>(count) / seconds : 0; }

template <typename Counts>
Json CountsJson(const Counts& counts, std::string (*name)(size_t)) {
  Json json = Json::object();
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) json[name(i)] = counts[i];
  }
  return json;
}

// "accepted 12, rejected 3"
template <typename Counts>
std::string CountsText(const Counts& counts, std::string (*name)(size_t)) {
  std::string text;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) absl::StrAppend(&text, text.empty() ? "" : ", ", name(i), " ", counts[i]);
  }
  return text.empty() ? "none" : text;
}

std::vector<std::string> LatencyRow(const char* name, const Histogram& histogram) {
  const auto cell = [](uint64_t nanoseconds) { return absl::StrFormat("%.1f", Microseconds(nanoseconds)); };
  std::vector<std::string> row = {name, cell(histogram.min()), absl::StrFormat("%.1f", histogram.mean() / 1e3)};
  for (const NamedPercentile& percentile : kPercentiles) row.push_back(cell(histogram.Percentile(percentile.share)));
  row.push_back(cell(histogram.max()));
  return row;
}

}  // namespace

std::string ToJson(const Subject& subject, const RunResult& result) {
  const RunOptions& options = subject.options;
  const Tally& tally = result.tally;
  Json buckets = Json::array();
  for (const auto& [bound, count] : tally.latency.Buckets()) buckets.push_back({Microseconds(bound), count});
  const Json json = {
      {"tool", "credcache-load"},
      {"partial", result.partial},
      {"error", result.error == RunError::kNone ? Json() : Json(result.message)},
      {"target", subject.target},
      {"method", Name(options.method)},
      {"connections", subject.connections},
      {"in_flight", options.in_flight},
      {"batch", options.method == Method::kUnary ? 1 : options.batch},
      {"users", options.workload.users},
      {"zipf", options.workload.zipf},
      {"rate", options.rate.has_value() ? Json(*options.rate) : Json()},
      {"seconds", Rounded(result.seconds)},
      {"requests", tally.answers},
      {"errors", tally.errors},
      {"requests_per_second", Rounded(Rate(tally.answers, result.seconds))},
      {"messages", tally.messages},
      {"outcomes", CountsJson(tally.outcomes, OutcomeName)},
      {"sources", CountsJson(tally.sources, SourceName)},
      {"unexpected", result.unexpected},
      {"late_starts", result.late_starts},
      {"never_started", result.never_started},
      {"latest_start_us", Microseconds(static_cast<uint64_t>(result.latest_start.count()))},
      {"invalidations", result.invalidations},
      {"latency_us", LatencyJson(tally.latency)},
      {"hit_latency_us", LatencyJson(tally.hit_latency)},
      {"histogram_us", std::move(buckets)},
  };
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ToText(const Subject& subject, const RunResult& result) {
  const RunOptions& options = subject.options;
  const Tally& tally = result.tally;
  std::string text = absl::StrFormat("%s at %s: %d connection%s, %d %sin flight", Name(options.method), subject.target,
                                     subject.connections, subject.connections == 1 ? "" : "s", options.in_flight,
                                     options.method == Method::kBatch ? "batches " : "");
  if (options.method == Method::kBatch) absl::StrAppendFormat(&text, " of %d", options.batch);
  if (options.method == Method::kStream) absl::StrAppendFormat(&text, ", up to %d in a message", options.batch);
  absl::StrAppendFormat(&text, ", %d users%s\n", options.workload.users, result.partial ? " (PARTIAL)" : "");
  absl::StrAppendFormat(&text, "  log-ons   %.1f/s (%d in %.3f s, %d messages)\n", Rate(tally.answers, result.seconds),
                        tally.answers, result.seconds, tally.messages);
  absl::StrAppend(&text, "  outcomes  ", CountsText(tally.outcomes, OutcomeName), "; wrong answers ", result.unexpected,
                  "; errors ", tally.errors, "\n");
  absl::StrAppend(&text, "  sources   ", CountsText(tally.sources, SourceName), "\n");
  if (options.rate.has_value()) {
    absl::StrAppendFormat(&text, "  open loop %.1f/s: %d begun more than 1 ms late, the latest by %.1f ms; %d never\n",
                          *options.rate, result.late_starts, static_cast<double>(result.latest_start.count()) / 1e6,
                          result.never_started);
  }
  if (options.invalidate_every.has_value()) absl::StrAppend(&text, "  invalidations ", result.invalidations, "\n");
  std::vector<cli::Table::Column> columns = {{"  microseconds", cli::Table::Align::kLeft}, {"min"}, {"mean"}};
  for (const NamedPercentile& percentile : kPercentiles) columns.push_back({percentile.title});
  columns.push_back({"max"});
  cli::Table table(std::move(columns));
  table.Add(LatencyRow("  all", tally.latency));
  if (tally.hit_latency.count() < tally.latency.count()) table.Add(LatencyRow("  hits", tally.hit_latency));
  return text + table.Render();
}

}  // namespace credcache::load
