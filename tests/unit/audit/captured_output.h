// A LogOutput that keeps its lines.
#pragma once

#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "audit/log_output.h"

namespace credcache {

// Thread-safe. Must outlive what writes to it.
class CapturedOutput {
 public:
  std::shared_ptr<LogOutput> output() {
    return LogOutput::To([this](absl::string_view line) { Keep(line); });
  }
  // While held, whoever writes waits: an output that cannot keep up.
  void Hold() {
    const absl::MutexLock lock(&mutex_);
    held_ = true;
  }
  void Release() {
    const absl::MutexLock lock(&mutex_);
    held_ = false;
  }
  void WaitForAWriter() const {
    mutex_.LockWhen(absl::Condition(&waiting_));
    mutex_.Unlock();
  }
  void WaitForLines(size_t count) const {
    const auto there = [this, count] {
      mutex_.AssertReaderHeld();
      return lines_.size() >= count;
    };
    mutex_.LockWhen(absl::Condition(&there));
    mutex_.Unlock();
  }

  std::vector<std::string> lines() const {
    const absl::MutexLock lock(&mutex_);
    return lines_;
  }
  // The lines parsed; fails loudly on one that is not JSON.
  std::vector<nlohmann::json> events() const {
    std::vector<nlohmann::json> out;
    for (const std::string& line : lines()) out.push_back(nlohmann::json::parse(line));
    return out;
  }

 private:
  void Keep(absl::string_view line) {
    const absl::MutexLock lock(&mutex_);
    waiting_ = held_;
    mutex_.Await(absl::Condition(
        +[](bool* held) { return !*held; }, &held_));
    lines_.emplace_back(line);
  }

  mutable absl::Mutex mutex_;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
