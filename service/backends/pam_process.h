// A helper process as the service sees it: started, asked, and ended by one worker (pam_helper.h is the other end).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "backends/pam_messages.h"
#include "base/clock.h"
#include "base/secret.h"

namespace credcache {

// Processes that were killed and have not ended yet, since the kernel holds them; nobody waits for that. Thread-safe.
class PamOrphans {
 public:
  void Add(pid_t process);
  // Takes leave of those that have ended.
  void Collect();

 private:
  absl::Mutex mutex_;
  std::vector<pid_t> processes_ ABSL_GUARDED_BY(mutex_);
};

// Used by one thread at a time. Its process ends with it, and with the thread that started it.
class PamProcess {
 public:
  // Returns when the helper is ready to be asked: its memory is protected then. `command`: a program's path, and its
  // arguments. UNAVAILABLE: it did not come so far; DEADLINE_EXCEEDED: not in time.
  static absl::StatusOr<std::unique_ptr<PamProcess>> Start(const std::vector<std::string>& command, PamOrphans& orphans,
                                                           Clock& clock, MonotonicTime deadline);
  ~PamProcess();
  PamProcess(const PamProcess&) = delete;
  PamProcess& operator=(const PamProcess&) = delete;

  // Whether it waits for a question. False: it has ended, or said something unasked.
  bool IsIdle() const;

  // Name and password as PamQuestion has them. After an error the process has ended, and the text says how. ABORTED:
  // nothing was sent; UNAVAILABLE: it ended, or its answer was none; DEADLINE_EXCEEDED: there was none in time.
  absl::StatusOr<PamAnswer> Ask(absl::string_view name, SecretView password, MonotonicTime deadline);

  // For who finds it not to be idle: ends it, and says how it ended, "was killed by signal 6 (Aborted)".
  std::string End();

 private:
  PamProcess(pid_t process, int socket, PamOrphans& orphans, Clock& clock)
      : process_(process), socket_(socket), orphans_(orphans), clock_(clock) {}

  absl::StatusOr<PamAnswer> Receive(uint32_t number, MonotonicTime deadline);
  absl::Status Read(char* bytes, size_t size, MonotonicTime deadline);
  absl::Status Ended();
  absl::Status NoAnswer();

  pid_t process_;  // 0: it has ended
  const int socket_;
  PamOrphans& orphans_;
  Clock& clock_;
  uint32_t asked_ = 0;
};

}  // namespace credcache
