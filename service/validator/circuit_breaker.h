// Whether a backend that has stopped answering is to be asked: so that a dead one costs its users no wait, and a weak
// one is not held down by what is asked of it.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/random.h"
#include "metrics/backend_metrics.h"

namespace credcache {

// Where each number comes from: operations.md, "A backend that does not answer".
struct CircuitPolicy {
  int failures = 5;                                      // in a row, until it opens
  absl::Duration first_pause = absl::Milliseconds(100);  // open for so long, then half open; twice as long each time
  absl::Duration longest_pause = absl::Seconds(5);
};

// Thread-safe. Closed: all may ask. Open: nobody. Half open: one may, and what becomes of it decides. A pause is
// shortened by chance, by up to a half, so that replicas which lost the same backend do not come back as one.
class CircuitBreaker {
 public:
  CircuitBreaker(const CircuitPolicy& policy, Clock& clock, Randomness& randomness)
      : policy_(policy), clock_(clock), randomness_(randomness), pause_(policy.first_pause) {}

  // One question that is asked.
  struct Ticket {
    uint64_t opened = 0;  // how often the circuit had been opened when it began
    bool probe = false;
  };
  // Nothing: do not ask.
  std::optional<Ticket> Admit();

  enum class End : uint8_t {
    kAnswered,
    kFailed,
    kUntold,  // says nothing of the backend
  };
  // Each ticket once. Whether this opened or closed it; a probe that fails leaves it open, which is no news.
  bool Ended(const Ticket& ticket, End end);

  CircuitState state() const;

 private:
  void Open() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const CircuitPolicy policy_;
  Clock& clock_;
  Randomness& randomness_;
  mutable absl::Mutex mutex_;
  CircuitState state_ ABSL_GUARDED_BY(mutex_) = CircuitState::kClosed;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;      // in a row, while closed
  uint64_t opened_ ABSL_GUARDED_BY(mutex_) = 0;   // how often
  absl::Duration pause_ ABSL_GUARDED_BY(mutex_);  // the next one
  MonotonicTime open_until_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
