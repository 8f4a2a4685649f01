// Time, injected.
//
// Two kinds of it, as different types so that they cannot be mixed: absl::Time is the wall clock, for what people and
// protocols see; MonotonicTime never goes back, counts while the machine is suspended (CLOCK_BOOTTIME), and is for
// ages, limits and deadlines.
#pragma once

#include <atomic>
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
  // `time` as people see it. `now`: what Monotonic has just said. On the way of every hit, so cheaper than Now; after
  // somebody has set the wall clock it may be off by that for a second.
  virtual absl::Time WallTime(MonotonicTime time, MonotonicTime now) const { return Now() + (time - now); }
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
  MonotonicTime Monotonic() const override;
  absl::Time WallTime(MonotonicTime time, MonotonicTime now) const override;

 private:
  // How far the wall clock is ahead of the monotonic one, and when that was last read (never: a life ago).
  static constexpr int64_t kOffsetLifeNanoseconds = 1'000'000'000;
  mutable std::atomic<int64_t> offset_nanoseconds_{0};
  mutable std::atomic<int64_t> offset_read_at_{-kOffsetLifeNanoseconds};
};

}  // namespace credcache
