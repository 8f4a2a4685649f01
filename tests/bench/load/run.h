// One run of the load generator: primes, warms up, measures, and ends in order.
//
// One thread polls the completion queue and does all the work; in an open loop a second one wakes at the moments when
// log-ons are due and begins them. The client shall weigh little: it shares the machine with the server.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/connection.h"
#include "load/schedule.h"
#include "load/tally.h"
#include "load/workload.h"

namespace credcache::load {

enum class Method : uint8_t { kUnary, kBatch, kStream };

struct RunOptions {
  Method method = Method::kUnary;
  int in_flight = 64;  // over all connections: log-ons, or batches
  int batch = 16;      // log-ons in a batch; on a stream, at most so many in a message
  WorkloadOptions workload;
  std::string realm{workload::kRealm};
  std::optional<double> rate;  // log-ons a second; none: a closed loop
  absl::Duration warm_up = absl::Seconds(1);
  absl::Duration duration = absl::Seconds(5);
  bool prime = false;
  std::optional<absl::Duration> invalidate_every;
  absl::Duration timeout = absl::Seconds(10);  // without any answer for so long, the run ends
};

enum class RunError : uint8_t {
  kNone,
  kFailed,       // wrong answers, errors
  kUnavailable,  // the server is not there, or no longer
  kInterrupted,
};

struct RunResult {
  RunError error = RunError::kNone;
  std::string message;   // what the error is
  bool partial = false;  // the run ended before its time
  double seconds = 0;    // that were measured
  // Of an open loop those log-ons that were due while it was measured, of a closed one those answered.
  Tally tally;
  uint64_t unexpected = 0;  // wrong answers, from the first to the last moment
  // Open loop: begun more than a millisecond late; due but never begun; how late the latest was.
  uint64_t late_starts = 0;
  uint64_t never_started = 0;
  Nanoseconds latest_start{0};
  uint64_t invalidations = 0;
};

// What there is to say while it runs.
struct Progress {
  const char* phase;
  double seconds;           // since it began
  double answers_a_second;  // since the last time
  uint64_t errors;          // all told, wrong answers among them
};

// `connections` are open (there is at least one) and outlive the call. `interrupted` ends the run early; it is looked
// at ten times a second. `progress` is called once a second.
RunResult Execute(const RunOptions& options, const std::vector<cli::Connection>& connections,
                  const std::atomic<bool>& interrupted, const std::function<void(const Progress&)>& progress);

}  // namespace credcache::load
