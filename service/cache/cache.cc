#include "cache/cache.h"

#include <algorithm>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/functional/function_ref.h"
#include "absl/hash/hash.h"
#include "base/huge_memory.h"
#include "cache/bucket.h"
#include "cache/identity_pool.h"
#include "cache/realm_policies.h"

namespace credcache {
namespace {

// Room for the identities that one account, or one part of a bucket, can lose, made before a lock is taken.
Released MakeReleased() {
  Released released;
  released.reserve(std::max<size_t>(kMaxDigestsPerAccount + 2, EntryTable::kPartSize));
  return released;
}

uint32_t Parts(const Bucket& bucket) {
  absl::MutexLock lock(&bucket.mutex);
  return bucket.parts();
}

// Holds two buckets, or one that is both, in an order that all agree on.
class ABSL_SCOPED_LOCKABLE BucketPairLock {
 public:
  BucketPairLock(Bucket& a, Bucket& b) ABSL_EXCLUSIVE_LOCK_FUNCTION(a.mutex, b.mutex) ABSL_NO_THREAD_SAFETY_ANALYSIS
      : first_(std::min(&a, &b)->mutex),
        second_(&a == &b ? nullptr : &std::max(&a, &b)->mutex) {
    first_.Lock();
    if (second_ != nullptr) second_->Lock();
  }
  ~BucketPairLock() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (second_ != nullptr) second_->Unlock();
    first_.Unlock();
  }
  BucketPairLock(const BucketPairLock&) = delete;
  BucketPairLock& operator=(const BucketPairLock&) = delete;

 private:
  absl::Mutex& first_;
  absl::Mutex* second_;
};

// The part of `total` that falls to one of `shares`; together they are all of it.
int64_t Share(int64_t total, int shares, int number) { return total / shares + (number < total % shares ? 1 : 0); }

}  // namespace

class Cache::Impl {
 public:
  Impl(const CacheOptions& options, Clock& clock, Randomness& randomness)
      : max_entries_(std::max<int64_t>(1, options.max_entries)), seed_(randomness.Bits()), clock_(clock) {
    // All together hold no more than allowed, and each at least eight, so that one of them may be negative.
    const auto most = std::max<int64_t>(1, max_entries_ / 8);
    const auto buckets = static_cast<int>(std::clamp<int64_t>(options.buckets, 1, most));
    std::vector<Bucket::Options> shares;
    for (int i = 0; i < buckets; ++i) {
      const int64_t negative = Share(max_entries_ / 8, buckets, i);
      shares.push_back({.entries = Share(max_entries_, buckets, i) - negative,
                        .negative_entries = negative,
                        .start = clock.Monotonic()});
    }
    size_t slots = 0;
    for (const Bucket::Options& share : shares) {
      slots += IndexTable::SlotsFor(share.entries) + IndexTable::SlotsFor(share.negative_entries);
    }
    indices_ = std::make_unique<HugeMemory>(slots * sizeof(IndexTable::Slot));
    std::span<IndexTable::Slot> left = indices_->As<IndexTable::Slot>();
    const auto take = [&left](int64_t capacity) {
      const std::span<IndexTable::Slot> taken = left.first(IndexTable::SlotsFor(capacity));
      left = left.subspan(taken.size());
      return taken;
    };
    for (Bucket::Options& share : shares) {
      share.slots = take(share.entries);
      share.negative_slots = take(share.negative_entries);
      indices_of_entries_.emplace_back(share.slots);
      buckets_.push_back(std::make_unique<Bucket>(share));
    }
  }

  // A name in its realm, or an account, which is the same: everything below is told apart by this.
  uint64_t Hash(RealmId realm, absl::string_view name) const {
    return std::max<uint64_t>(1, absl::HashOf(seed_, realm, name));
  }
  uint64_t Hash(const AccountKey& account) const {
    return account.hash != 0 ? account.hash : Hash(account.realm, account.username.view());
  }

  // The high half chooses the bucket (by multiplying and shifting, so that any number of them will do), the low half
  // the place in its tables.
  size_t NumberOf(uint64_t hash) const { return ((hash >> 32) * buckets_.size()) >> 32; }
  Bucket& BucketOf(uint64_t hash) const { return *buckets_[NumberOf(hash)]; }

  // Has what a Find of the account needs brought from memory, while its digest is being computed. Takes no lock.
  void Prefetch(uint64_t hash) const {
    BucketOf(hash).Prefetch();
    EntryTable::Prefetch(indices_of_entries_[NumberOf(hash)], hash);
  }

  // The first step of a Prefetch that comes soon, which then need not wait.
  void PrefetchFirst(uint64_t hash) const {
    BucketOf(hash).Prefetch();
    EntryTable::PrefetchIndex(indices_of_entries_[NumberOf(hash)], hash);
  }

  MonotonicTime Now() const { return clock_.Monotonic(); }

  // Whether `test` says so of the fences of either name. It is called with the lock of the name's bucket.
  bool AnyFence(const Username& asked, const AccountKey& account,
                absl::FunctionRef<bool(const FenceTable&, uint64_t hash)> test) const {
    const auto at = [&](const Username& name) {
      const uint64_t hash = Hash(account.realm, name.view());
      Bucket& bucket = BucketOf(hash);
      absl::MutexLock lock(&bucket.mutex);
      return test(bucket.fences(), hash);
    };
    return at(account.username) || (!(asked == account.username) && at(asked));
  }

  // Without a lock where no name of the bucket stands for another, as is usual.
  std::optional<Username> FindCanonicalName(const AccountKey& name, uint64_t hash, const CachePolicy& policy,
                                            MonotonicTime now) const {
    Bucket& bucket = BucketOf(hash);
    if (!bucket.may_have_aliases()) return std::nullopt;
    absl::MutexLock lock(&bucket.mutex);
    return bucket.aliases().Find(hash, name.realm, name.username.view(), now, policy.age_limit);
  }

  Finding Find(uint64_t hash, const Digest& digest, const CachePolicy& policy, std::optional<absl::Duration> max_age,
               MonotonicTime now) {
    Bucket& bucket = BucketOf(hash);
    absl::MutexLock lock(&bucket.mutex);
    return bucket.Find(hash, digest, policy, max_age, now);
  }

  const int64_t max_entries_;
  const uint64_t seed_;
  Clock& clock_;
  IdentityPool identities_;
  std::unique_ptr<HugeMemory> indices_;  // of all buckets
  std::vector<std::unique_ptr<Bucket>> buckets_;
  std::vector<IndexTable> indices_of_entries_;  // the buckets' own, side by side, to be met without their locks
};

Cache::Cache(const CacheOptions& options, Clock& clock, Randomness& randomness)
    : impl_(std::make_unique<Impl>(options, clock, randomness)) {}

Cache::~Cache() = default;

uint64_t Cache::Locate(const AccountKey& name) const {
  const uint64_t hash = impl_->Hash(name);
  impl_->PrefetchFirst(hash);
  return hash;
}

std::optional<Username> Cache::FindCanonicalName(const AccountKey& name, const CachePolicy& policy,
                                                 MonotonicTime now) const {
  return impl_->FindCanonicalName(name, impl_->Hash(name), policy, now);
}

Cache::LookedUp Cache::LookUp(const AccountKey& asked, absl::FunctionRef<Digest(const Username&)> digest_of,
                              const CachePolicy& policy, std::optional<absl::Duration> max_age, MonotonicTime now) {
  uint64_t hash = impl_->Hash(asked);
  impl_->Prefetch(hash);
  std::optional<Username> known_as = impl_->FindCanonicalName(asked, hash, policy, now);
  if (known_as.has_value()) hash = impl_->Hash(asked.realm, known_as->view());
  const Digest digest = digest_of(known_as.has_value() ? *known_as : asked.username);
  return {
      .digest = digest, .finding = impl_->Find(hash, digest, policy, max_age, now), .known_as = std::move(known_as)};
}

Finding Cache::Find(const AccountKey& account, const Digest& digest, const CachePolicy& policy,
                    std::optional<absl::Duration> max_age) {
  return impl_->Find(impl_->Hash(account), digest, policy, max_age, impl_->Now());
}

Finding Cache::FindStale(const AccountKey& account, const Digest& digest, const CachePolicy& policy,
                         std::optional<absl::Duration> max_age) {
  const uint64_t hash = impl_->Hash(account);
  const MonotonicTime now = impl_->Now();
  Bucket& bucket = impl_->BucketOf(hash);
  absl::MutexLock lock(&bucket.mutex);
  return bucket.FindStale(hash, digest, policy, max_age, now);
}

FillOutcome Cache::Fill(const FillRequest& request, const CachePolicy& policy) {
  const RealmId realm = request.account.realm;
  const uint64_t asked_hash = impl_->Hash(realm, request.asked.view());
  const uint64_t account_hash = impl_->Hash(request.account);
  const bool is_alias = !(request.asked == request.account.username);
  Identity identity;
  if (request.verdict == FillRequest::Verdict::kAccepted) identity = impl_->identities_.Intern(request.identity);
  Released released = MakeReleased();
  const MonotonicTime now = impl_->Now();

  // Both at once, so that nobody forgets under either name between the look at the fences and the filling.
  Bucket& asked = impl_->BucketOf(asked_hash);
  Bucket& account = impl_->BucketOf(account_hash);
  BucketPairLock lock(asked, account);
  if (asked.fences().Refuses(asked_hash, realm, request.revision) ||
      account.fences().Refuses(account_hash, realm, request.revision)) {
    return FillOutcome::kFenced;
  }
  const bool quarantined =
      asked.fences().Quarantined(asked_hash, now) || account.fences().Quarantined(account_hash, now);
  const FillOutcome outcome =
      account.Fill(account_hash, request, std::move(identity), policy, quarantined, now, released);
  if (is_alias && outcome == FillOutcome::kFilled) {
    asked.LearnAlias(asked_hash, realm, request.asked.view(), request.account.username.view(), request.validated_at,
                     policy.age_limit);
    account.aliases().LearnNameOf(account_hash, realm, asked_hash, request.validated_at);
  }
  return outcome;
}

void Cache::LearnName(const Username& asked, const AccountKey& account, MonotonicTime learned_at, Revision revision,
                      const CachePolicy& policy) {
  const uint64_t asked_hash = impl_->Hash(account.realm, asked.view());
  const uint64_t account_hash = impl_->Hash(account);
  Bucket& of_asked = impl_->BucketOf(asked_hash);
  Bucket& of_account = impl_->BucketOf(account_hash);
  BucketPairLock lock(of_asked, of_account);
  if (of_asked.fences().Refuses(asked_hash, account.realm, revision) ||
      of_account.fences().Refuses(account_hash, account.realm, revision)) {
    return;
  }
  of_asked.LearnAlias(asked_hash, account.realm, asked.view(), account.username.view(), learned_at, policy.age_limit);
  of_account.aliases().LearnNameOf(account_hash, account.realm, asked_hash, learned_at);
}

bool Cache::IsFenced(const Username& asked, const AccountKey& account, Revision began) const {
  return impl_->AnyFence(asked, account, [&](const FenceTable& fences, uint64_t hash) {
    return fences.Refuses(hash, account.realm, began);
  });
}

bool Cache::IsQuarantined(const Username& asked, const AccountKey& account) const {
  const MonotonicTime now = impl_->Now();
  return impl_->AnyFence(asked, account,
                         [now](const FenceTable& fences, uint64_t hash) { return fences.Quarantined(hash, now); });
}

int64_t Cache::Forget(const AccountKey& name, Revision revision, const CachePolicy& policy) {
  const MonotonicTime now = impl_->Now();
  Released released = MakeReleased();
  int64_t removed = 0;
  // Fences `account` first and removes then, in one critical section; its other names follow. A flight that fills under
  // one of those meanwhile meets the account's fence.
  const auto forget = [&](absl::string_view account) {
    const uint64_t hash = impl_->Hash(name.realm, account);
    Bucket& bucket = impl_->BucketOf(hash);
    AliasIndex::Names others;
    std::optional<Username> canonical;
    {
      absl::MutexLock lock(&bucket.mutex);
      bucket.fences().RaiseName(hash, revision, policy.quarantine, now);
      removed += bucket.ForgetAccount(hash, released);
      others = bucket.aliases().TakeNamesOf(hash, now, policy.age_limit);
      canonical = bucket.aliases().Find(hash, name.realm, account, now, policy.age_limit);
    }
    for (const uint64_t other : others) {
      Bucket& others_bucket = impl_->BucketOf(other);
      absl::MutexLock lock(&others_bucket.mutex);
      others_bucket.fences().RaiseName(other, revision, absl::ZeroDuration(), now);
      others_bucket.aliases().Forget(other, account);
    }
    return canonical;
  };
  const std::optional<Username> canonical = forget(name.username.view());
  if (canonical.has_value()) forget(canonical->view());
  return removed;
}

int64_t Cache::ForgetRealm(RealmId realm, Revision revision) {
  FenceRealm(realm, revision);
  int64_t removed = 0;
  for (const auto& bucket : impl_->buckets_) {
    // What comes in between two parts began after the fence.
    for (uint32_t part = Parts(*bucket); part-- > 0;) {
      Released released = MakeReleased();
      absl::MutexLock lock(&bucket->mutex);
      removed += bucket->ForgetRealm(realm, part, released);
    }
  }
  return removed;
}

int64_t Cache::ForgetAll(Revision revision) {
  int64_t removed = 0;
  for (const auto& bucket : impl_->buckets_) {
    Bucket::Contents contents = bucket->MakeContents();
    {
      absl::MutexLock lock(&bucket->mutex);
      bucket->fences().RaiseFloor(revision);
      bucket->ForgetAll(contents);
    }
    removed += static_cast<int64_t>(contents.entries.handles.size()) + contents.negatives.size();
  }
  return removed;
}

void Cache::FenceRealm(RealmId realm, Revision revision) {
  for (const auto& bucket : impl_->buckets_) {
    absl::MutexLock lock(&bucket->mutex);
    bucket->fences().RaiseRealm(realm, revision);
  }
}

void Cache::Sweep(int bucket, std::span<const CachePolicy* const> policies) {
  Bucket& swept = *impl_->buckets_[static_cast<size_t>(bucket)];
  const MonotonicTime now = impl_->Now();
  for (uint32_t part = Parts(swept); part-- > 0;) {
    Released released = MakeReleased();
    absl::MutexLock lock(&swept.mutex);
    swept.Sweep(RealmPolicies(policies), part, now, released);
  }
  // Once in a round, when the entries of the round before have let go of their identities.
  if (bucket == 0) impl_->identities_.Sweep();
}

int Cache::buckets() const { return static_cast<int>(impl_->buckets_.size()); }

int64_t Cache::max_entries() const { return impl_->max_entries_; }

CacheCounts Cache::Counts() const {
  CacheCounts counts{.bytes = static_cast<int64_t>(sizeof(Impl) + impl_->identities_.heap_size())};
  for (int i = 0; i < buckets(); ++i) {
    const CacheCounts more = BucketCounts(i);
    counts.entries += more.entries;
    counts.negative_entries += more.negative_entries;
    counts.bytes += more.bytes;
    counts.evictions += more.evictions;
  }
  return counts;
}

CacheCounts Cache::BucketCounts(int bucket) const {
  const Bucket& counted = *impl_->buckets_[static_cast<size_t>(bucket)];
  absl::MutexLock lock(&counted.mutex);
  return counted.Counts();
}

std::vector<CacheCounts> Cache::RealmCounts() const {
  std::vector<CacheCounts> counts;
  for (const auto& bucket : impl_->buckets_) {
    absl::MutexLock lock(&bucket->mutex);
    bucket->ForEachRealm([&counts](RealmId realm, bool negative) {
      const auto index = static_cast<size_t>(realm);
      if (index >= counts.size()) counts.resize(index + 1);
      ++(negative ? counts[index].negative_entries : counts[index].entries);
    });
  }
  return counts;
}

}  // namespace credcache
