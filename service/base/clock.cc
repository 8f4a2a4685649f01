#include "base/clock.h"

#include <ctime>

#include "absl/time/clock.h"

namespace credcache {

MonotonicTime operator+(MonotonicTime time, absl::Duration duration) {
  const int64_t nanoseconds = absl::ToInt64Nanoseconds(duration);  // saturates at the ends of int64
  int64_t sum = 0;
  if (__builtin_add_overflow(time.nanoseconds_, nanoseconds, &sum)) {
    sum = nanoseconds < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return MonotonicTime(sum);
}

absl::Time SystemClock::Now() const { return absl::Now(); }

MonotonicTime SystemClock::Monotonic() const {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return MonotonicTime::FromNanoseconds(int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec);
}

absl::Time SystemClock::WallTime(MonotonicTime time, MonotonicTime now) const {
  if (now.nanoseconds() - offset_read_at_.load(std::memory_order_acquire) >= kOffsetLifeNanoseconds) {
    // Several threads may do it at once, to the same effect.
    offset_nanoseconds_.store(absl::ToUnixNanos(Now()) - Monotonic().nanoseconds(), std::memory_order_relaxed);
    offset_read_at_.store(now.nanoseconds(), std::memory_order_release);
  }
  return absl::FromUnixNanos(time.nanoseconds() + offset_nanoseconds_.load(std::memory_order_relaxed));
}

}  // namespace credcache
