// One thread's helper process: asked for each log-on, and started anew when it came to harm.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "backends/pam_options.h"
#include "backends/pam_process.h"
#include "backends/typical_time.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/random.h"
#include "base/reporter.h"
#include "base/secret.h"
#include "validator/validator.h"

namespace credcache {

// What the workers of one backend know together. Thread-safe.
class PamState {
 public:
  PamState(const PamBackendOptions& options, Clock& clock, Randomness& randomness, Reporter& reporter);

  // A program, and the arguments that make it a helper for the stack.
  const std::vector<std::string>& command() const { return command_; }

  // Why not even to start a helper: after some that came to harm, one after the other, there is a pause before the
  // next, each time a longer one.
  absl::Status MayStart() const;
  // One came to harm, or did not come so far; reported.
  void HelperFailed(const absl::Status& why);
  // One has answered.
  void HelperAnswered();

  // As Reporter::Report, with the realm and the service before the text.
  void Report(Severity severity, absl::string_view kind, absl::string_view text);

  TypicalTime& rejection() { return rejection_; }
  PamOrphans& orphans() { return orphans_; }

 private:
  const std::string name_;
  const std::vector<std::string> command_;
  Clock& clock_;
  Reporter& reporter_;
  TypicalTime rejection_;
  PamOrphans orphans_;
  mutable absl::Mutex mutex_;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;  // since the last answer
  MonotonicTime not_before_ ABSL_GUARDED_BY(mutex_);
};

// Used by one thread at a time; each call blocks, to its deadline at most, and then for the end of a process that was
// killed. Errors are UNAVAILABLE. A password goes to a helper once for a log-on.
class PamWorker {
 public:
  // All must outlive it; `state` is shared with the other workers.
  PamWorker(const PamBackendOptions& options, PamState& state, Clock& clock)
      : options_(options), state_(state), clock_(clock) {}

  struct Question {
    Username name;
    Secret password;  // as PamQuestion has it
    MonotonicTime deadline;
  };
  // An error after which a module may have counted a wrong password is told from the others: WithoutRejection.
  absl::StatusOr<Verdict> Validate(const Question& question);

  // Sees that there is a helper for the next question, and not the same for ever: modules leak.
  void Rest();

 private:
  absl::Status EnsureHelper(MonotonicTime deadline);
  absl::Status StartHelper(MonotonicTime deadline);
  // Takes note of a helper that failed between `asked` and now, and makes an error of it.
  absl::Status Failed(const absl::Status& why, MonotonicTime asked);

  const PamBackendOptions& options_;
  PamState& state_;
  Clock& clock_;
  std::unique_ptr<PamProcess> helper_;  // null: none
  int answers_ = 0;                     // of this one
};

}  // namespace credcache
