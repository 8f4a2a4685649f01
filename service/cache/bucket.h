// One shard of the cache: good and negative entries, other names, fences, and the lock over all of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/prefetch.h"
#include "cache/alias_index.h"
#include "cache/cache.h"
#include "cache/entry_table.h"
#include "cache/fence_table.h"
#include "cache/negative_table.h"
#include "cache/realm_policies.h"

namespace credcache {

// The rules of the cache (design, section 5), of the accounts and names that fall to this bucket. Accounts and names
// are passed as keyed 64-bit hashes (Cache computes them, and chooses the bucket by them).
//
// Whoever calls holds `mutex`: a Fill needs two buckets at once. Identities that go are handed back as Released, to be
// let go after it.
class alignas(64) Bucket {
 public:
  // Capacities of entries: at least 1; of negative entries: 0 or more. Slots: IndexTable::SlotsFor each. `start`: the
  // cache's.
  struct Options {
    int64_t entries;
    int64_t negative_entries;
    std::span<IndexTable::Slot> slots;
    std::span<IndexTable::Slot> negative_slots;
    MonotonicTime start;
  };
  explicit Bucket(const Options& options);

  mutable absl::Mutex mutex;

  // As Cache's methods of these names.
  Finding Find(uint64_t account, const Digest& digest, const CachePolicy& policy, std::optional<absl::Duration> max_age,
               MonotonicTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  Finding FindStale(uint64_t account, const Digest& digest, const CachePolicy& policy,
                    std::optional<absl::Duration> max_age, MonotonicTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // Cache::Fill, where no fence refuses it. An acceptance brings an interned `identity`, and is not kept when
  // `quarantined`.
  FillOutcome Fill(uint64_t account, const FillRequest& request, Identity identity, const CachePolicy& policy,
                   bool quarantined, MonotonicTime now, Released& released) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // Removes the account's entries; returns their number, negative ones too. So do the others.
  int64_t ForgetAccount(uint64_t account, Released& released) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // A part of the work, so that the lock is not held for long; from the last of parts() down to part 0.
  int64_t ForgetRealm(RealmId realm, uint32_t part, Released& released) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void Sweep(const RealmPolicies& policies, uint32_t part, MonotonicTime now, Released& released)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  uint32_t parts() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // Everything but the fences and the indices: made before the lock is taken, and what comes back destroyed after it.
  struct Contents {
    EntryTable::Entries entries;
    NegativeTable::Entries negatives;
    AliasIndex aliases;
  };
  Contents MakeContents() const;
  void ForgetAll(Contents& contents) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // Without the lock: has what a look-up meets first brought from memory;
  void Prefetch() const {
    credcache::Prefetch(&mutex);
    credcache::Prefetch(&may_have_aliases_);
  }
  // whether a name of this bucket may stand for another.
  bool may_have_aliases() const { return may_have_aliases_.load(std::memory_order_acquire); }
  // AliasIndex::Learn.
  void LearnAlias(uint64_t name, RealmId realm, absl::string_view alias, absl::string_view canonical, MonotonicTime at,
                  absl::Duration age_limit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    aliases_.Learn(name, realm, alias, canonical, at, age_limit);
    may_have_aliases_.store(true, std::memory_order_release);
  }
  FenceTable& fences() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return fences_; }
  AliasIndex& aliases() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) { return aliases_; }

  CacheCounts Counts() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Calls `visit(RealmId, negative)` for every entry.
  template <typename Visit>
  void ForEachRealm(const Visit& visit) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    entries_.ForEach([&](const Entry& entry) { visit(RealmId{static_cast<uint16_t>(entry.realm)}, false); });
    negatives_.ForEach([&](const NegativeEntry& entry) { visit(RealmId{entry.realm}, true); });
  }

 private:
  enum class Life : uint8_t { kLive, kPastAge, kPastIdle };

  MissReason WhyMissing(uint64_t account, const CachePolicy& policy, MonotonicTime now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  FillOutcome FillAccepted(uint64_t account, const FillRequest& request, Identity identity, const CachePolicy& policy,
                           bool quarantined, MonotonicTime now, Released& released)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  FillOutcome FillOther(uint64_t account, const FillRequest& request, const CachePolicy& policy, MonotonicTime now,
                        Released& released) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void MakeRoomInAccount(uint64_t account, const Digest& digest, const CachePolicy& policy, MonotonicTime now,
                         Released& released) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  int64_t Milliseconds(MonotonicTime now) const;
  absl::Duration Idle(const Entry& entry, MonotonicTime now) const;
  // Limits are in nanoseconds.
  Life LifeOf(const Entry& entry, int64_t age_limit, int64_t idle_limit, MonotonicTime now) const;
  bool IsGone(const Entry& entry, const CachePolicy& policy, MonotonicTime now) const;
  void Use(Entry& entry, MonotonicTime now) const;
  Finding Accepted(Entry& entry, int64_t age_limit, int64_t idle_limit, bool refresh_due, MonotonicTime now) const;

  const int64_t entries_capacity_;
  const MonotonicTime start_;
  EntryTable entries_ ABSL_GUARDED_BY(mutex);
  NegativeTable negatives_ ABSL_GUARDED_BY(mutex);
  AliasIndex aliases_ ABSL_GUARDED_BY(mutex);
  std::atomic<bool> may_have_aliases_{false};
  FenceTable fences_ ABSL_GUARDED_BY(mutex);
};

}  // namespace credcache
