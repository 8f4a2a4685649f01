#include "backends/typical_time.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace credcache {
namespace {

// By so much a sleep may end too late.
constexpr absl::Duration kLateAwake = absl::Microseconds(150);

}  // namespace

void TypicalTime::Learn(absl::Duration duration) {
  const absl::MutexLock lock(&mutex_);
  durations_[learned_++ % kRemembered] = duration;
}

absl::Duration TypicalTime::Draw() {
  const absl::MutexLock lock(&mutex_);
  const size_t known = std::min(learned_, kRemembered);
  return known == 0 ? absl::ZeroDuration() : durations_[randomness_.Below(known)];
}

absl::Duration TypicalTime::Median() {
  const absl::MutexLock lock(&mutex_);
  const size_t known = std::min(learned_, kRemembered);
  if (known == 0) return absl::ZeroDuration();
  std::array<absl::Duration, kRemembered> sorted = durations_;
  std::nth_element(sorted.begin(), sorted.begin() + known / 2, sorted.begin() + known);
  return sorted[known / 2];
}

absl::Duration HowMuchLonger(TypicalTime& one, TypicalTime& other) {
  return std::max(one.Median() - other.Median(), absl::ZeroDuration());
}

// Sleeps, and spins for the rest: a sleep ends late, and by how much would tell the one from the other.
void WaitUntil(Clock& clock, MonotonicTime moment) {
  const absl::Duration asleep = moment - clock.Monotonic() - kLateAwake;
  if (asleep > absl::ZeroDuration()) absl::SleepFor(asleep);
  while (clock.Monotonic() < moment) {
  }
}

void WaitAsLong(TypicalTime& typical, Clock& clock, MonotonicTime began, MonotonicTime deadline) {
  WaitUntil(clock, std::min(began + typical.Draw(), deadline));
}

}  // namespace credcache
