#include "audit/log.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "audit/json_line.h"

namespace credcache {
namespace {

// Kinds are constants of the code; should one ever be made up at run time, memory stays bounded all the same.
constexpr size_t kMaxKinds = 256;
// A text is one line, for people.
constexpr size_t kMaxText = 4096;

absl::string_view Name(Severity severity) {
  static constexpr std::array<absl::string_view, 3> kNames = {"info", "warning", "error"};
  return kNames[static_cast<size_t>(severity)];
}

JsonLine Line(Clock& clock, Severity severity, absl::string_view kind, absl::string_view text) {
  return JsonLine(clock.Now(), "service", Name(severity), kind, text, kMaxText);
}

}  // namespace

Log::Log(LogOptions options, Clock& clock, std::shared_ptr<LogOutput> output)
    : options_(options),
      clock_(clock),
      level_(options.level),
      writer_({.name = "service", .queue_size = options.queue_size}, std::move(output)) {}

Log::~Log() { WriteSums(/*all=*/true); }

void Log::Report(Severity severity, absl::string_view kind, absl::string_view text, absl::string_view request_id) {
  if (severity < level_.load(std::memory_order_relaxed)) return;
  if (!Admit(severity, kind)) return;
  JsonLine line = Line(clock_, severity, kind, text);
  line.Text("request_id", request_id);
  writer_.Append(std::move(line).Finish());
}

void Log::Tick() {
  WriteSums(/*all=*/false);
  const uint64_t dropped = writer_.Dropped();
  uint64_t news = 0;
  {
    const absl::MutexLock lock(&mutex_);
    news = dropped - std::exchange(dropped_told_, dropped);
  }
  if (news == 0) return;
  JsonLine line = Line(clock_, Severity::kWarning, "log_dropped",
                       absl::StrCat(news, " lines were dropped: the output could not keep up"));
  line.Number("dropped", news);
  writer_.Append(std::move(line).Finish());
}

bool Log::Admit(Severity severity, absl::string_view kind) {
  const MonotonicTime now = clock_.Monotonic();
  Kind ended;
  bool admitted = false;
  {
    const absl::MutexLock lock(&mutex_);
    auto found = kinds_.find(kind);
    if (found == kinds_.end()) {
      if (kinds_.size() >= kMaxKinds) kind = "other";
      found = kinds_.try_emplace(std::string(kind), Kind{.interval_start = now}).first;
    }
    Kind& state = found->second;
    if (now - state.interval_start >= options_.interval) ended = std::exchange(state, Kind{.interval_start = now});
    admitted = ++state.lines <= options_.lines_per_kind;
    if (!admitted) state.severity = std::max(state.severity, severity);
  }
  WriteSum(kind, ended);
  return admitted;
}

void Log::WriteSum(absl::string_view name, const Kind& kind) {
  const int64_t more = kind.lines - options_.lines_per_kind;
  if (more <= 0) return;
  JsonLine line = Line(clock_, kind.severity, name,
                       absl::StrCat(more, " more of this kind within ", absl::FormatDuration(options_.interval)));
  line.Number("summed_up", static_cast<uint64_t>(more));
  writer_.Append(std::move(line).Finish());
}

void Log::WriteSums(bool all) {
  const MonotonicTime now = clock_.Monotonic();
  std::vector<std::pair<std::string, Kind>> ended;
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [name, kind] : kinds_) {
      if (all || now - kind.interval_start >= options_.interval) ended.emplace_back(name, kind);
    }
    for (const auto& [name, kind] : ended) kinds_.erase(name);
  }
  std::sort(ended.begin(), ended.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [name, kind] : ended) WriteSum(name, kind);
}

}  // namespace credcache
