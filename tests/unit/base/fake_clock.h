// A clock that goes only when told.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "base/clock.h"

namespace credcache {

// Thread-safe.
class FakeClock final : public Clock {
 public:
  absl::Time Now() const override { return start_ + absl::Nanoseconds(elapsed_.load()); }
  MonotonicTime Monotonic() const override { return MonotonicTime::FromNanoseconds(kStart + elapsed_.load()); }
  void Advance(absl::Duration duration) { elapsed_.fetch_add(absl::ToInt64Nanoseconds(duration)); }

 private:
  // A machine that has been up for a day: ages reach back before the test.
  static constexpr int64_t kStart = int64_t{86'400} * 1'000'000'000;
  const absl::Time start_ = absl::FromUnixSeconds(1'800'000'000);
  std::atomic<int64_t> elapsed_{0};
};

}  // namespace credcache
