#include "base/clock.h"

#include <ctime>

#include "absl/time/clock.h"

namespace credcache {

MonotonicTime operator+(MonotonicTime time, absl::Duration duration) {
  // absl::Duration saturates by itself; ToInt64Nanoseconds does so at the ends of int64.
  return MonotonicTime(absl::ToInt64Nanoseconds(absl::Nanoseconds(time.nanoseconds_) + duration));
}

absl::Time SystemClock::Now() const { return absl::Now(); }

MonotonicTime SystemClock::Monotonic() const {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return MonotonicTime::FromNanoseconds(int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec);
}

}  // namespace credcache
