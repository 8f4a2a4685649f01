// Which passwords a directory has accepted, and under which of its stamps, so that one which it goes on taking after a
// change is known to be an old one (design, section 6: Active Directory does so for an hour).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/call_once.h"
#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/random.h"
#include "cache/cache.h"
#include "cache/digest.h"
#include "validator/bounded_table.h"

namespace credcache {

// Thread-safe, in bounded memory, of which nothing is taken before the first Accept: some 210 bytes an account, and its
// last kMaxPasswords. What is forgotten for lack of room is that which would have been forgotten first.
class AcceptedPasswords {
 public:
  static constexpr size_t kMaxPasswords = 4;

  AcceptedPasswords(int64_t accounts, Clock& clock, Randomness& randomness);

  // The directory accepts the password of `digest`, and its stamp is `stamp` (Verdict::password_stamp, not 0). False: a
  // change lies between the two, so it is not the account's any longer. What is told here is remembered for `keep`,
  // from the last time that it was not refused.
  bool Accept(const AccountKey& account, const Digest& digest, int64_t stamp, absl::Duration keep);

  // What was refused until now may be the account's password again.
  void Lift(const AccountKey& account);
  void LiftRealm(RealmId realm);
  void LiftAll();

 private:
  struct Password {
    Digest digest;
    int64_t stamp;
    int64_t expires;  // nanoseconds of MonotonicTime; 0: none
  };
  struct Record {
    std::array<Password, kMaxPasswords> passwords;
    uint64_t lifts;  // Lifts() when it began

    int64_t Weight(MonotonicTime now) const;
    bool Accept(const Digest& digest, int64_t stamp, MonotonicTime now, MonotonicTime expires);
  };

  uint64_t KeyOf(const AccountKey& account) const;
  // How often everything of the realm was lifted.
  uint64_t Lifts(RealmId realm) const;

  const int64_t accounts_;
  const uint64_t seed_;
  Clock& clock_;
  absl::once_flag once_;
  std::unique_ptr<BoundedTable<Record>> table_;
  std::atomic<BoundedTable<Record>*> table_if_there_ = nullptr;  // null before the first Accept
  mutable absl::Mutex mutex_;
  uint64_t all_lifts_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<RealmId, uint64_t> realm_lifts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
