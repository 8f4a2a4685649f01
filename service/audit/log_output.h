// Where lines go, and how they get there without holding anybody up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace credcache {

// One place for lines, shared by the log and the audit log; whole lines, one at a time.
class LogOutput {
 public:
  // One write(2) a line, unbuffered.
  static std::shared_ptr<LogOutput> StandardError();
  // `write` gets each line without its newline, from one thread at a time.
  static std::shared_ptr<LogOutput> To(std::function<void(absl::string_view line)> write);

  struct Sink;  // spdlog's
  explicit LogOutput(std::unique_ptr<Sink> sink);
  ~LogOutput();
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;

  const Sink& sink() const { return *sink_; }

 private:
  std::unique_ptr<Sink> sink_;
};

// A bounded queue of lines before a LogOutput, and a thread that writes them. Thread-safe.
//
// Not spdlog's own queue, which wakes its thread for each line: that costs whoever logs more (10 µs and up) than making
// the line does. Here the thread, once awake, lets lines gather for a moment; only the first of them paid.
class LineWriter {
 public:
  struct Options {
    std::string name;                              // spdlog's for the logger
    size_t queue_size = 1024;                      // lines waiting; as many more may be on their way out
    absl::Duration gather = absl::ZeroDuration();  // how long a line may wait for company
  };

  LineWriter(Options options, std::shared_ptr<LogOutput> output);
  // Writes what waits. Takes as long as the output does.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // Never waits for the output: with a full queue, the oldest line is dropped.
  void Append(std::string line);
  // Lines dropped since the start.
  uint64_t Dropped() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace credcache
