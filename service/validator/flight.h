// Validations under way, so that equal log-ons share one.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/revision.h"
#include "base/secret.h"
#include "cache/digest.h"
#include "validator/validator.h"

namespace credcache {

// Somebody who waits for a flight.
struct Waiter {
  Validator::ValidateDone done;
  std::optional<absl::Duration> max_age;
  bool joined = false;  // it came to a flight that was under way
};

// One validation under way. What is not const is used by its owner alone (the caching validator that began it), one
// step at a time, but for the account, its digests and the waiters: the table changes them, under its lock.
struct Flight {
  const Username asked;  // the name of the log-on that began it
  const MonotonicTime began;
  const absl::Time began_wall;  // the same moment, as people see it
  const Revision revision;      // the journal's, at that moment
  const bool refresh;           // begun ahead of an entry's end; nobody may be waiting
  const bool trusted;           // LogOn::trusted, of the log-on that began it
  bool quarantined;             // LogOn::quarantined, of what is asked of the backend
  Secret password;
  Username account;  // canonical once Resolve has said so; until then the best guess
  Digest digest;     // of `account`
  std::optional<Digest> first_digest =
      std::nullopt;  // of the guess, where it turned out to be wrong: the flight is listed under both
  std::vector<Waiter> waiters = {};
};

// The flights that can be joined, by digest. Thread-safe. Joined and landed flights are told apart under one lock, so
// that nobody waits for a flight that has answered.
class FlightTable {
 public:
  // Whether a flight that is under way will do for whoever asks. Called with a lock held: must only look.
  using Joinable = absl::FunctionRef<bool(const Flight&)>;

  // Joins the flight listed under `digest` if there is one and it will do: `waiter` (if any) is then moved into it, and
  // true is returned. Otherwise lists `flight` there, with `waiter` as its first, and takes the place of one that would
  // not do.
  bool JoinOrList(const Digest& digest, Joinable joinable, const std::shared_ptr<Flight>& flight,
                  std::optional<Waiter>& waiter);

  // `flight` turns out to be for `account`, whose digest is `digest`: lists it there too. If a flight is there already
  // that will do, the waiters of `flight` move into that one instead, `flight` is listed nowhere any more, and true is
  // returned.
  bool MergeOrList(const Username& account, const Digest& digest, Joinable joinable,
                   const std::shared_ptr<Flight>& flight);

  // Takes `flight` off the table and returns who waited for it. Nobody joins it from here on.
  std::vector<Waiter> Land(const std::shared_ptr<Flight>& flight);

  // The strictest max_age among those who wait; nothing: nobody cares.
  std::optional<absl::Duration> StrictestMaxAge(const std::shared_ptr<Flight>& flight) const;

 private:
  void Unlist(const Digest& digest, const std::shared_ptr<Flight>& flight) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // One lock for all: a flight takes a backend's milliseconds, and the lock is held for a few hundred nanoseconds.
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Digest, std::shared_ptr<Flight>> flights_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
