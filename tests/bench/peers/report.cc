#include "peers/report.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"

namespace credcache::peers {
namespace {

double Micros(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1000; }

double RequestsPerSecond(const LoadResult& result) {
  return result.seconds > 0 ? static_cast<double>(result.requests) / result.seconds : 0;
}

}  // namespace

std::string Json(const Run& run) {
  const LoadResult& result = run.result;
  const load::Histogram& latency = result.latency;
  nlohmann::ordered_json histogram = nlohmann::ordered_json::array();
  for (const auto& [bound, count] : latency.Buckets()) histogram.push_back({Micros(bound), count});
  nlohmann::ordered_json error = nullptr;
  if (!result.error.ok()) error = std::string(result.error.message());
  const nlohmann::ordered_json document = {
      {"tool", "credcache-peer-load"},
      {"partial", run.partial()},
      {"error", error},
      {"target", run.target},
      {"method", run.kind},
      {"connections", run.connections},
      {"in_flight", run.in_flight},
      {"users", run.users},
      {"seconds", result.seconds},
      {"requests", result.requests},
      {"errors", absl::IsUnavailable(result.error) || absl::IsInternal(result.error) ? 1 : 0},
      {"requests_per_second", RequestsPerSecond(result)},
      {"outcomes", {{"accepted", result.accepted}, {"rejected", result.rejected}}},
      {"unexpected", result.rejected},
      {"latency_us",
       {{"min", Micros(latency.min())},
        {"mean", latency.mean() / 1000},
        {"p50", Micros(latency.Percentile(0.5))},
        {"p90", Micros(latency.Percentile(0.9))},
        {"p99", Micros(latency.Percentile(0.99))},
        {"p99_9", Micros(latency.Percentile(0.999))},
        {"max", Micros(latency.max())}}},
      {"histogram_us", histogram},
  };
  // What a server says may be no UTF-8.
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string Text(const Run& run) {
  const load::Histogram& latency = run.result.latency;
  return absl::StrFormat(
      "%s%s at %s: %.0f log-ons/s (%d in %.2f s, %d connections, %d in flight)\n"
      "latency: median %.1f us, p99 %.1f us, p99.9 %.1f us, most %.1f us\n",
      run.partial() ? "PARTIAL: " : "", run.kind, run.target, RequestsPerSecond(run.result), run.result.requests,
      run.result.seconds, run.connections, run.in_flight, Micros(latency.Percentile(0.5)),
      Micros(latency.Percentile(0.99)), Micros(latency.Percentile(0.999)), Micros(latency.max()));
}

int ExitCode(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kPermissionDenied:
      return 1;
    case absl::StatusCode::kInvalidArgument:
      return 2;
    default:
      return 4;
  }
}

}  // namespace credcache::peers
