// Remembers which credentials a backend accepted or rejected, and for how long (design, section 5).
//
// A fixed number of buckets, each a table under its own lock. Nothing happens under a lock but memory: no I/O, no
// logging, no callback, and on a hit no allocation. No password enters: callers bring a Digest (digest.h), computed
// before any lock is taken.
//
// Accounts are named by realm and canonical username; other names that were used for an account are in an index beside
// the table. Entries keep the revision of the journal at which their validation (flight) began; what was forgotten at a
// later revision is fenced: a flight from before it fills nothing.
//
// Thread-safe. Time comes from the Clock given; the cache starts no thread and never sleeps.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "base/cache_policy.h"
#include "base/clock.h"
#include "base/identity.h"
#include "base/names.h"
#include "base/outcome.h"
#include "base/random.h"
#include "base/revision.h"
#include "cache/digest.h"

namespace credcache {

struct CacheOptions {
  // At least 1: whoever wants no cache (size 0) builds none. Fewer where a bucket would hold less than eight entries.
  int buckets = 256;
  // At least 1; good and negative entries together. An eighth of it is for negative ones, and for nothing else.
  int64_t max_entries = 1'000'000;
};

// An account, by its canonical name.
struct AccountKey {
  RealmId realm;
  const Username& username;
  uint64_t hash = 0;  // of both, by Cache::Locate, so that it is computed once for a log-on; 0: not yet
};

// What is known of a credential.
struct Finding {
  enum class Kind : uint8_t { kAccepted, kRejected, kMiss };
  Kind kind = Kind::kMiss;
  MissReason reason = MissReason::kAbsent;  // of a miss
  bool refresh_due = false;  // of an acceptance: true once an entry, in the last (jittered) tenth of its age
  // Of a miss: a backend rejected this very credential, not lately enough to answer from it, but no shorter ago than a
  // backend should be asked again. kTooLongAgo: not within max_age. The times below are then of that rejection.
  enum class Wrong : uint8_t { kNo, kLately, kTooLongAgo } known_wrong = Wrong::kNo;
  Identity identity;  // of an acceptance
  MonotonicTime validated_at;
  MonotonicTime expires_at;  // the earlier of age and idle limit
  Revision revision;         // at which the validation began
  MonotonicTime found_at;    // the moment of the look-up; not of a miss
};

// What a flight brings back.
struct FillRequest {
  const Username& asked;  // the name that was asked for: fences raised under it count too, and it enters the index
  AccountKey account;
  const Digest& digest;  // of the account's canonical name
  enum class Verdict : uint8_t {
    kAccepted,     // becomes an entry
    kRejected,     // becomes a negative entry; an entry of the same digest goes
    kNotCachable,  // locked, disabled, expired: an entry of the same digest goes
  } verdict;
  Identity identity;           // of an acceptance
  MonotonicTime validated_at;  // when the flight began
  Revision revision;           // at which it began
  bool refresh = false;        // begun ahead of an entry's end: the idle clock goes on from where it was
};

enum class FillOutcome : uint8_t {
  kFilled,
  kFenced,       // something forgot the account after the flight began
  kQuarantined,  // the account was invalidated a moment ago: an acceptance is not kept
  kOutdated,     // what is there was validated later
  kNotKept,      // nothing to keep: not cachable, negative entries are off, or a refresh of what has gone
};

struct CacheCounts {
  int64_t entries = 0;
  int64_t negative_entries = 0;
  int64_t bytes = 0;      // all told: entries, tables, identities, index
  int64_t evictions = 0;  // since the start, of negative entries too
};

class Cache {
 public:
  Cache(const CacheOptions& options, Clock& clock, Randomness& randomness);
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // The keyed hash, never 0, by which a name is told from others; no two caches agree on it. Whoever asks is expected
  // to look up soon: what that meets first is on its way from memory then.
  uint64_t Locate(const AccountKey& name) const;

  // The account that `name` is known as another name of, learned no longer ago than the age limit. Nothing: not known;
  // then the name itself is the account's, or a backend must be asked.
  std::optional<Username> FindCanonicalName(const AccountKey& name, const CachePolicy& policy, MonotonicTime now) const;

  // The whole way of a hit: which account `asked` is known as a name of, the digest of that account, and what is known
  // of it. `digest_of` is called once, with no lock held; meanwhile the entry is on its way from memory. `now`: what
  // the caller's look at the clock said, which is not taken again.
  struct LookedUp {
    Digest digest;
    Finding finding;                   // as Find
    std::optional<Username> known_as;  // as FindCanonicalName
  };
  LookedUp LookUp(const AccountKey& asked, absl::FunctionRef<Digest(const Username& account)> digest_of,
                  const CachePolicy& policy, std::optional<absl::Duration> max_age, MonotonicTime now);

  // What is known of `digest` for `account` at this moment. A hit restarts the entry's idle clock. `max_age`: validated
  // no longer ago.
  Finding Find(const AccountKey& account, const Digest& digest, const CachePolicy& policy,
               std::optional<absl::Duration> max_age);

  // An acceptance past its age limit, though not its idle limit, by no more than the policy's stale_grace; for when no
  // backend answers. Restarts the idle clock. Finding::kMiss when there is none.
  Finding FindStale(const AccountKey& account, const Digest& digest, const CachePolicy& policy,
                    std::optional<absl::Duration> max_age);

  // Records what a backend said, or not: see FillOutcome.
  FillOutcome Fill(const FillRequest& request, const CachePolicy& policy);

  // Enters `asked` into the index as another name of `account`, as a backend said to who asked at `learned_at`, when
  // the journal was at `revision`. Not if a fence was raised over either since.
  void LearnName(const Username& asked, const AccountKey& account, MonotonicTime learned_at, Revision revision,
                 const CachePolicy& policy);

  // Whether a flight that began at `began` for `asked`, and, where already known, `account`, was fenced since: nobody
  // may join it.
  bool IsFenced(const Username& asked, const AccountKey& account, Revision began) const;

  // Whether either was forgotten by its name less than a quarantine ago: no acceptance is kept.
  bool IsQuarantined(const Username& asked, const AccountKey& account) const;

  // Forgetting. When one of these returns, no Find answers from what was there, and no flight that began before
  // `revision` will fill. Each returns the number of entries, negative ones too, that went.
  //
  // The account that is called `name`, directly or by the index, under all its names. For the policy's quarantine after
  // this, no acceptance of it is kept.
  int64_t Forget(const AccountKey& name, Revision revision, const CachePolicy& policy);
  int64_t ForgetRealm(RealmId realm, Revision revision);
  int64_t ForgetAll(Revision revision);
  // Keeps what is there, and fences every flight of the realm.
  void FenceRealm(RealmId realm, Revision revision);

  // Drops what no Find can answer from any more, in one bucket, so that housekeeping can go bucket by bucket.
  // `policies` is indexed by RealmId; entries of a realm without one go.
  void Sweep(int bucket, std::span<const CachePolicy* const> policies);

  int buckets() const;
  int64_t max_entries() const;
  CacheCounts Counts() const;
  CacheCounts BucketCounts(int bucket) const;
  // Indexed by RealmId; `bytes` and `evictions` are not told apart by realm.
  std::vector<CacheCounts> RealmCounts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace credcache
