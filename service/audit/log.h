// The service's own log: JSON lines for operators and the programs that collect them.
//
//   {"ts":"2026-11-22T09:00:00.000000Z","log":"service","level":"warning","kind":"users_file_line","msg":"users:7: …"}
//
// A flood of one kind is summed up: within an interval the first lines of a kind are written, the others counted, and
// one line then says how many there were. What is told of decisions is not here but in the audit log (audit_log.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "audit/log_output.h"
#include "base/clock.h"
#include "base/reporter.h"

namespace credcache {

struct LogOptions {
  Severity level = Severity::kInfo;  // what is below is not written
  int lines_per_kind = 10;           // within an interval; more are counted
  absl::Duration interval = absl::Seconds(10);
  size_t queue_size = 1024;  // lines waiting to be written; then the oldest is dropped
};

// Thread-safe. No call waits for the output. The clock must outlive it.
class Log final : public Reporter {
 public:
  Log(LogOptions options, Clock& clock, std::shared_ptr<LogOutput> output);
  // Writes pending sums, and all that waits.
  ~Log() override;

  void Report(Severity severity, absl::string_view kind, absl::string_view text) override {
    Report(severity, kind, text, /*request_id=*/{});
  }
  // The same, of one request.
  void Report(Severity severity, absl::string_view kind, absl::string_view text, absl::string_view request_id);

  void SetLevel(Severity level) { level_.store(level, std::memory_order_relaxed); }

  // To be called about once a second: writes the sums of intervals that have ended, and how many lines were dropped.
  void Tick();

 private:
  struct Kind {
    MonotonicTime interval_start;
    int64_t lines = 0;                    // in this interval, written or not
    Severity severity = Severity::kInfo;  // the gravest of those not written
  };

  // Counts one line of `kind`; whether it is to be written.
  bool Admit(Severity severity, absl::string_view kind);
  void WriteSum(absl::string_view name, const Kind& kind);
  void WriteSums(bool all);

  const LogOptions options_;
  Clock& clock_;
  std::atomic<Severity> level_;
  LineWriter writer_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Kind> kinds_ ABSL_GUARDED_BY(mutex_);
  uint64_t dropped_told_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace credcache
