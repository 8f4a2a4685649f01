// Simulated time: a clock that goes where it is told, and what is due on the way there.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/clock.h"
#include "base/fake_clock.h"
#include "mail_day/event.h"

namespace credcache::mail_day {

// Not thread-safe: a simulation is one thread.
class Agenda {
 public:
  Clock& clock() { return clock_; }
  Moment now() const { return now_; }

  // `what` will be called once the clock gets to `milliseconds` from now: after all that is due earlier, and after what
  // was put down before it for the same moment.
  void After(Moment milliseconds, absl::AnyInvocable<void()> what);

  // Lets the time pass up to `moment`, and calls what is due until then, each thing at its own moment.
  void RunUntil(Moment moment);
  // Lets the time pass until nothing is due any more.
  void RunOut();

 private:
  struct Due {
    Moment at;
    uint64_t sequence;
    absl::AnyInvocable<void()> what;
  };
  static bool IsLater(const Due& a, const Due& b) { return a.at != b.at ? a.at > b.at : a.sequence > b.sequence; }
  void CallFirst();
  void SetTime(Moment moment);

  FakeClock clock_;
  Moment now_ = 0;
  uint64_t sequence_ = 0;
  std::vector<Due> due_;  // a heap: the earliest in front
};

}  // namespace credcache::mail_day
