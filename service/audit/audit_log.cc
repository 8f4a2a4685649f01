#include "audit/audit_log.h"

#include <array>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "audit/json_line.h"

namespace credcache {
namespace {

// How late an event may be in the log; what a crash may lose.
constexpr absl::Duration kGather = absl::Milliseconds(10);

JsonLine Line(Clock& clock, absl::string_view level, absl::string_view kind, absl::string_view message) {
  return JsonLine(clock.Now(), "audit", level, kind, message, kMaxAuditText);
}

uint64_t Microseconds(absl::Duration duration) {
  return duration < absl::ZeroDuration() ? 0 : static_cast<uint64_t>(absl::ToInt64Microseconds(duration));
}

}  // namespace

absl::string_view Name(AuditReason reason) {
  static constexpr std::array<absl::string_view, kAuditReasons> kNames = {"ok",
                                                                          "wrong_password",
                                                                          "unknown_user",
                                                                          "locked",
                                                                          "disabled",
                                                                          "expired",
                                                                          "empty_password",
                                                                          "unknown_realm",
                                                                          "throttled_account",
                                                                          "throttled_known_address",
                                                                          "throttled_address",
                                                                          "throttled_budget"};
  return kNames[static_cast<size_t>(reason)];
}

AuditLog::AuditLog(AuditOptions options, Clock& clock, std::shared_ptr<LogOutput> output)
    : clock_(clock),
      instance_(static_cast<uint32_t>(absl::Hash<int64_t>()(absl::ToUnixNanos(clock.Now())))),
      hits_(options.hits),
      writer_({.name = "audit", .queue_size = options.queue_size, .gather = kGather}, std::move(output)) {}

AuditLog::~AuditLog() { Tick(); }

std::string AuditLog::RequestId(absl::string_view given) {
  if (!given.empty()) return std::string(given);
  return absl::StrCat(absl::Hex(instance_, absl::kZeroPad8), "-",
                      next_request_.fetch_add(1, std::memory_order_relaxed));
}

void AuditLog::Record(const AuthenticationEvent& event) {
  if (!Wants(event.source)) return;
  JsonLine line = Line(clock_, "info", "authentication", Name(event.outcome));
  line.Text("realm", event.realm);
  line.Text("username", event.username);
  line.Text("client_address", event.client_address);
  line.Text("caller", event.caller);
  line.Text("protocol", event.protocol);
  line.Text("outcome", Name(event.outcome));
  line.Text("reason", Name(event.reason));
  line.Text("source", Name(event.source));
  line.Number("duration_us", Microseconds(event.duration));
  line.Text("request_id", RequestId(event.request_id));
  if (event.validated_at > absl::InfinitePast() && event.validated_at < absl::InfiniteFuture()) {
    line.Time("validated_at", event.validated_at);
  }
  writer_.Append(std::move(line).Finish());
}

void AuditLog::Record(const InvalidationEvent& event) {
  JsonLine line = Line(clock_, "info", "invalidation", absl::StrCat("forgot ", event.target));
  line.Text("target", event.target);
  line.Text("origin", event.origin);
  line.Text("realm", event.realm);
  line.Text("username", event.username);
  line.Text("caller", event.caller);
  line.Text("reason", event.reason);
  line.Text("status", event.status);
  line.Number("entries_removed", event.entries_removed);
  line.Number("revision", event.revision);
  line.Text("request_id", RequestId(event.request_id));
  writer_.Append(std::move(line).Finish());
}

void AuditLog::Record(const StartEvent& event) {
  JsonLine line = Line(clock_, "info", "start", "started");
  line.Text("version", event.version);
  line.Text("grpc", event.grpc_address);
  line.Text("admin", event.admin_address);
  line.Text("config_file", event.config_file);
  writer_.Append(std::move(line).Finish());
}

void AuditLog::Record(const ReloadEvent& event) {
  JsonLine line = Line(clock_, event.applied ? "info" : "error", "reload",
                       event.applied ? "configuration reloaded" : "configuration not reloaded: it has errors");
  line.Text("config_file", event.config_file);
  line.Flag("applied", event.applied);
  line.Texts("errors", event.errors);
  line.Texts("needs_restart", event.needs_restart);
  writer_.Append(std::move(line).Finish());
}

void AuditLog::Record(const StopEvent& event) {
  JsonLine line = Line(clock_, "info", "stop", "stopped");
  line.Text("reason", event.reason);
  writer_.Append(std::move(line).Finish());
}

void AuditLog::Tick() {
  const uint64_t dropped = writer_.Dropped();
  uint64_t news = 0;
  {
    const absl::MutexLock lock(&mutex_);
    news = dropped - std::exchange(dropped_told_, dropped);
  }
  if (news == 0) return;
  JsonLine line = Line(clock_, "warning", "audit_dropped",
                       absl::StrCat(news, " events were dropped: the output could not keep up"));
  line.Number("dropped", news);
  writer_.Append(std::move(line).Finish());
}

}  // namespace credcache
