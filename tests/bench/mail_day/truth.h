// What should have been answered. Knows who changed a password when, and when Invalidate had returned; knows nothing of
// caches.
#pragma once

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "mail_day/event.h"

namespace credcache::mail_day {

// README.md, "Wrong answers", defines these.
enum class Judgement : uint8_t { kRight, kStaleWindow, kWrong };

// A place in the one order in which things happen in a simulation; many of them may share a millisecond.
using Order = int64_t;

// Not thread-safe. Users that never changed their password have version 0.
class Truth {
 public:
  // The user's version 1 is right from `at` on, and version 0 no more.
  void PasswordChanged(int32_t user, Order at) { changes_[user] = {.at = at}; }
  // An Invalidate of the user has returned at every server.
  void InvalidateReturned(int32_t user, Order called, Order returned);

  // Of an answer to a log-on of a user, or made-up name, that came at `received` and was answered at `answered`.
  Judgement Judge(int32_t user, Password password, Order received, Order answered, bool accepted) const;

 private:
  struct Change {
    Order at = 0;
    Order invalidated = kNever;
  };
  static constexpr Order kNever = INT64_MAX;

  Judgement JudgeChanged(const Change& change, int32_t version, Order received, Order answered, bool accepted) const;

  absl::flat_hash_map<int32_t, Change> changes_;
};

}  // namespace credcache::mail_day
