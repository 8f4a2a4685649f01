// Keeps count of the rejections that a directory has been caused for each account, so that none is locked because of
// what came through here (design, section 5).
//
// Directories count wrong passwords, and lock at a threshold; their window starts anew at each. What is sent to them is
// charged before it goes out, so that parallel guesses cannot outrun the count, and what is not known to have been
// harmless stays charged.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
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
  };
  Charged Charge(RealmId realm, const Username& account, const BudgetPolicy& policy, Claim claim);

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

  uint64_t KeyOf(RealmId realm, const Username& account) const;

  const uint64_t seed_;
  Clock& clock_;
  BoundedTable<Record> table_;
};

}  // namespace credcache
