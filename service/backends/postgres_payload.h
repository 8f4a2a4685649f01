// What a notification of the change feed says, and how often all may be forgotten for it. No I/O.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/names.h"

namespace credcache {

// What a handful of notifications say together.
struct PostgresChanges {
  std::vector<std::string> usernames;  // normalised; each once, sorted
  bool everything = false;             // `*`, or no payload, or rubbish, or too many to name
  size_t junk = 0;                     // payloads that are no name
  std::string why;                     // what is wrong with the first of those
};
PostgresChanges ChangesIn(const std::vector<std::string>& payloads, CaseRule case_rule);

// Lets something happen once an interval, and what is asked for meanwhile once more at its end. Whoever may connect to
// a database may notify: a flood must not keep the cache empty.
class Pacer {
 public:
  explicit Pacer(absl::Duration interval) : interval_(interval) {}

  void Ask() { wanted_ = true; }
  // Whether it is asked for and may happen now; then it counts as done.
  bool Take(MonotonicTime now);
  // It happened, whether it was asked for or not.
  void Done(MonotonicTime now);
  // From when on it may happen; and the same if something is asked for, else never.
  MonotonicTime earliest() const { return last_ ? *last_ + interval_ : MonotonicTime(); }
  MonotonicTime due() const { return wanted_ ? earliest() : MonotonicTime::InfiniteFuture(); }

 private:
  const absl::Duration interval_;
  bool wanted_ = false;
  std::optional<MonotonicTime> last_;
};

}  // namespace credcache
