// A Reporter that remembers.
#pragma once

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/reporter.h"

namespace credcache {

// Thread-safe.
class RecordingReporter final : public Reporter {
 public:
  void Report(Severity /*severity*/, absl::string_view kind, absl::string_view text) override {
    absl::MutexLock lock(&mutex_);
    reports_.push_back(absl::StrCat(kind, " ", text));
  }

  // What was reported since the last call, each as "kind text".
  std::vector<std::string> Take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(reports_, {});
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> reports_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
