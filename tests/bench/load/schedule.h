// When the log-ons of an open loop are due: at even intervals, whatever becomes of those before.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace credcache::load {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Nanoseconds = std::chrono::nanoseconds;

// The n-th is due at begin + n / rate, to the nanosecond also after hours: no interval is rounded and added up.
class Schedule {
 public:
  Schedule(Time begin, double per_second) : begin_(begin), per_second_(per_second) {}

  Time due() const { return Due(taken_); }
  // The moment at which one is due, which is then taken.
  Time Take() { return Due(taken_++); }
  // How many are due before `time` and not taken.
  int64_t Missed(Time time) const {
    auto due = static_cast<int64_t>(std::chrono::duration<double>(time - begin_).count() * per_second_) + 1;
    while (due > taken_ && Due(due - 1) >= time) --due;
    return std::max<int64_t>(0, due - taken_);
  }

 private:
  Time Due(int64_t number) const {
    return begin_ + Nanoseconds(static_cast<int64_t>(static_cast<double>(number) / per_second_ * 1e9));
  }

  const Time begin_;
  const double per_second_;
  int64_t taken_ = 0;
};

}  // namespace credcache::load
