// Time, injected.
//
// Two kinds of it, as different types so that they cannot be mixed: absl::Time is the wall clock, for what people and
// protocols see; MonotonicTime never goes back, counts while the machine is suspended (CLOCK_BOOTTIME), and is for
// ages, limits and deadlines.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace credcache {

// A point of the monotonic clock; only differences mean something.
class MonotonicTime {
 public:
  constexpr MonotonicTime() = default;
  static constexpr MonotonicTime FromNanoseconds(int64_t nanoseconds) { return MonotonicTime(nanoseconds); }
  static constexpr MonotonicTime InfiniteFuture() { return MonotonicTime(std::numeric_limits<int64_t>::max()); }

  constexpr int64_t nanoseconds() const { return nanoseconds_; }

  friend constexpr auto operator<=>(MonotonicTime, MonotonicTime) = default;
  // Saturates at InfiniteFuture and at the start of time.
  friend MonotonicTime operator+(MonotonicTime time, absl::Duration duration);
  friend MonotonicTime operator-(MonotonicTime time, absl::Duration duration) { return time + -duration; }
  friend absl::Duration operator-(MonotonicTime a, MonotonicTime b) {
    return absl::Nanoseconds(a.nanoseconds_) - absl::Nanoseconds(b.nanoseconds_);
  }

 private:
  explicit constexpr MonotonicTime(int64_t nanoseconds) : nanoseconds_(nanoseconds) {}
  int64_t nanoseconds_ = 0;
};

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
  virtual MonotonicTime Monotonic() const = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
  MonotonicTime Monotonic() const override;
};

}  // namespace credcache
