// Where lines go, and how they get there without holding anybody up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

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
class LineWriter {
 public:
  // `name` is spdlog's for the logger. At most `queue_size` lines wait.
  LineWriter(const std::string& name, size_t queue_size, std::shared_ptr<LogOutput> output);
  // Writes what waits. Takes as long as the output does.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // Never waits for the output: with a full queue, the oldest line is dropped.
  void Append(absl::string_view line);
  // Lines dropped since the start.
  uint64_t Dropped() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace credcache
