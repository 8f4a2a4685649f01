// How long a backend's server usually takes for a kind of question, so that what it answers sooner is not told sooner.
//
// A directory computes a hash for an entry, and none for a name that has no entry or an account that it has locked; a
// search that finds somebody takes longer than one that does not; a KDC asks who is known for a proof, which is a
// question more. The time of the answer would tell which it was.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/random.h"

namespace credcache {

// Thread-safe. Remembers the last kRemembered answers.
class TypicalTime {
 public:
  static constexpr size_t kRemembered = 64;

  explicit TypicalTime(Randomness& randomness) : randomness_(randomness) {}

  // One took so long.
  void Learn(absl::Duration duration);
  // One of those remembered, by chance, so that answers are spread as those are; zero before the first.
  absl::Duration Draw();
  // Of those remembered, the one in the middle; zero before the first.
  absl::Duration Median();

 private:
  Randomness& randomness_;
  absl::Mutex mutex_;
  std::array<absl::Duration, kRemembered> durations_ ABSL_GUARDED_BY(mutex_);
  size_t learned_ ABSL_GUARDED_BY(mutex_) = 0;
};

// How much longer the one usually takes than the other; zero if it does not, or is not known to.
absl::Duration HowMuchLonger(TypicalTime& one, TypicalTime& other);

// Until that moment. Blocks; ends no later than a clock can be read.
void WaitUntil(Clock& clock, MonotonicTime moment);

// Until what began then has taken as long as such a question usually does, or the deadline.
void WaitAsLong(TypicalTime& typical, Clock& clock, MonotonicTime began, MonotonicTime deadline);

}  // namespace credcache
