// What is remembered of guessing: which passwords were tried for an account and from where, which users failed at an
// address, and from where accounts lately succeeded (design, section 5).
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/ip_address.h"
#include "base/names.h"
#include "base/outcome.h"
#include "base/random.h"
#include "base/throttle_policy.h"
#include "validator/distinct_counter.h"
#include "validator/known_addresses.h"

namespace credcache {

// Thread-safe, in bounded memory. Users that do not exist are counted like those that do: nothing here knows.
class Shield {
 public:
  Shield(const ThrottleMemory& memory, Clock& clock, Randomness& randomness);

  // Who tries to log on, when, and from where, as keys. Without an address (null, or a proxy's) nothing is known of it,
  // and nothing counted or learned. Belongs to one thread at a time.
  class Attempt {
    friend class Shield;
    uint64_t account_ = 0;
    uint64_t address_ = 0;  // 0: none
    uint64_t pair_ = 0;     // account and address
    MonotonicTime began_;
    std::optional<bool> known_;  // once somebody had to know: not for a hit, as long as no limit is near
  };
  // `account`: a keyed hash of its realm and canonical name, always the same one: Cache::Locate's, or HashOf.
  Attempt Begin(uint64_t account, const IpAddress* address, const ThrottlePolicy& policy, MonotonicTime now) const;

  // The same, once the account is known to be called otherwise.
  Attempt As(uint64_t account, const Attempt& attempt) const;

  // Where no cache has computed one.
  uint64_t HashOf(RealmId realm, const Username& account) const;

  // Whether it comes from an address from which the account lately succeeded; what is said first holds for the attempt.
  bool IsKnown(Attempt& attempt, const ThrottlePolicy& policy) const;

  // Why not even to look, if there is a reason: what is found would tell whether a guess was right.
  struct Refusal {
    ThrottleReason reason;
    absl::Duration retry_after;
  };
  std::optional<Refusal> Refuses(Attempt& attempt, const ThrottlePolicy& policy) const;

  // The attempt's password, told apart from others for the account by its tag, may be a guess: it counts from now on,
  // until it proves right.
  void Guessed(Attempt& attempt, uint32_t password_tag, const ThrottlePolicy& policy);
  void ProvedRight(Attempt& attempt, uint32_t password_tag, const ThrottlePolicy& policy);
  // The account logged on from there.
  void Succeeded(const Attempt& attempt);
  // It was told no: a user who failed at that address.
  void Failed(Attempt& attempt, const ThrottlePolicy& policy);

 private:
  uint64_t PairOf(uint64_t account, uint64_t address) const;

  const uint64_t seed_;
  DistinctCounter<kMostWrongPasswords> passwords_by_account_;
  DistinctCounter<kMostWrongPasswords> passwords_by_known_address_;
  DistinctCounter<kMostFailedUsers> users_by_address_;
  KnownAddresses known_;
};

}  // namespace credcache
