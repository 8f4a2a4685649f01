// Keeps count of the rejections that a directory has been caused for each account, so that none is locked because of
// what came through here (design, section 5).
//
// Directories count wrong passwords, and lock at a threshold; their window starts anew at each. What is sent to them is
// charged before it goes out, so that parallel guesses cannot outrun the count, and what is not known to have been
// harmless stays charged.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/random.h"
#include "base/throttle_policy.h"
#include "validator/bounded_table.h"

namespace credcache {

// Thread-safe, in bounded memory. When it is full, the accounts with the fewest rejections are forgotten first, and
// none that has an attempt under way.
class Budget {
 public:
  Budget(int64_t accounts, Clock& clock, Randomness& randomness);

  // An attempt under way: what was already counted when it was taken.
  class Attempt {
   private:
    friend class Budget;
    uint64_t account_ = 0;
    uint32_t counted_ = 0;
  };

  enum class Claim : uint8_t {
    kStranger,  // leaves the last attempt, where there are three or more, to the others
    kTrusted,   // a refresh of what was right, or from an address known for the account
    kDryRun,    // is charged, and never refused
  };
  // Takes one attempt; end it by one of the three below. Or, none is left: how long until one is.
  struct Charged {
    std::optional<Attempt> attempt;
    absl::Duration retry_after;
    bool over = false;  // of a dry run: it would have been refused
  };
  // `done` is called once: at once, or, where others of the account are under way and may yet prove harmless, when
  // enough of them have ended, in the order of arrival, on the thread that ends one. Of all accounts together
  // kMaxBackendQueue wait; more are told that none is left.
  using Done = absl::AnyInvocable<void(Charged)>;
  void Charge(RealmId realm, const Username& account, const BudgetPolicy& policy, Claim claim, Done done);

  // The directory counted it, or may have. The window starts anew.
  void Rejected(const Attempt& attempt, const BudgetPolicy& policy);
  // The directory has forgotten what came before it, and so does this.
  void Accepted(const Attempt& attempt);
  // The directory cannot have counted it.
  void GiveBack(const Attempt& attempt);

  // How long until a password that is known to be wrong may be asked again; zero: now. The last attempt that a stranger
  // may have is left to its owner, who may come from a new address.
  absl::Duration ConfirmableIn(RealmId realm, const Username& account, const BudgetPolicy& policy) const;

 private:
  struct Record {
    uint32_t counted = 0;    // rejections, ever
    uint32_t forgiven = 0;   // of those
    uint32_t under_way = 0;  // attempts
    int64_t window_ends = 0;

    int64_t Weight(MonotonicTime now) const;
    int Spent(MonotonicTime now) const;
    absl::Duration Left(MonotonicTime now) const;
  };

  struct Waiting {
    BudgetPolicy policy;
    Claim claim;
    Done done;
  };

  uint64_t KeyOf(RealmId realm, const Username& account) const;
  // Nothing: others that are under way stand in the way.
  std::optional<Charged> TryCharge(uint64_t account, const BudgetPolicy& policy, Claim claim);
  // Lets those go on who waited for an attempt of the account to end.
  void Ended(uint64_t account);

  const uint64_t seed_;
  Clock& clock_;
  BoundedTable<Record> table_;

  // Counted before they look whether they must wait, so that whoever ends an attempt misses none.
  std::atomic<size_t> waiting_count_{0};
  absl::Mutex mutex_;
  absl::flat_hash_map<uint64_t, std::deque<Waiting>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
