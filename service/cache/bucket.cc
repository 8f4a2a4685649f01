// Invariants, whenever the lock is free:
//
// 1. A digest has a good entry or a negative one, never both.
// 2. A good entry stands in the index under its account, in SIEVE's queue, in its account's list, and in the list of
//    all. The same holds for a negative entry, which has no such lists.
// 3. Entries past their limits may still be there: a look-up says why it missed, an outage may need them (stale_grace),
//    and a negative entry remembers its life. What is gone (IsGone; not NegativeEntry::Remembered) counts as absent
//    for every decision, so that it makes no difference when the sweeper comes by.
// 4. No entry, in whatever state, has a validation from before a fence over it: Cache checks the fences in the same
//    critical section in which it fills, and whoever raises one removes entries in or after the section that raised it.
// 5. At most as many entries as the capacities say, and at most kMaxDigestsPerAccount good ones of an account.
//
// Times are compared as absl::Duration, but for the hit, where they are nanoseconds: a Duration's arithmetic costs as
// much as the rest of the look-up.
#include "cache/bucket.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace credcache {
namespace {

// When an entry asks to be refreshed: in the last tenth of its age, from a moment on that is spread evenly over the
// first quarter of that, by its digest and its validation, so that a rush of log-ons does not come again as a rush of
// refreshes. The rest is left for whoever logs on now and then, as phones do, to come by (9 minutes of 2 hours).
bool IsInRefreshWindow(const Entry& entry, int64_t age_nanoseconds, int64_t limit_nanoseconds) {
  const int64_t tenth = limit_nanoseconds / 10;
  if (age_nanoseconds < limit_nanoseconds - tenth) return false;
  uint32_t bits = 0;
  std::memcpy(&bits, entry.digest.bytes().data() + sizeof(uint64_t), sizeof(bits));
  bits ^= static_cast<uint32_t>(static_cast<uint64_t>(entry.validated_at.nanoseconds()) * 0x9e3779b97f4a7c15 >> 32);
  const double fraction = bits * 0x1p-32;
  return age_nanoseconds >= limit_nanoseconds - tenth + static_cast<int64_t>(static_cast<double>(tenth) * fraction / 4);
}

// Zero asks for a validation now, however short ago the last one was.
bool IsOlderThan(std::optional<absl::Duration> max_age, int64_t age_nanoseconds) {
  return max_age.has_value() &&
         (*max_age <= absl::ZeroDuration() || age_nanoseconds > absl::ToInt64Nanoseconds(*max_age));
}

// As MonotonicTime's own sum, which takes a Duration.
MonotonicTime Plus(MonotonicTime time, int64_t nanoseconds) {
  int64_t sum = 0;
  if (__builtin_add_overflow(time.nanoseconds(), nanoseconds, &sum)) return MonotonicTime::InfiniteFuture();
  return MonotonicTime::FromNanoseconds(sum);
}

Finding Miss(MissReason reason) { return {.kind = Finding::Kind::kMiss, .reason = reason}; }

}  // namespace

Bucket::Bucket(const Options& options)
    : entries_capacity_(options.entries),
      start_(options.start),
      entries_(options.entries, options.slots),
      negatives_(options.negative_entries, options.negative_slots),
      aliases_(static_cast<size_t>(options.entries)) {}

Finding Bucket::Find(uint64_t account, const Digest& digest, const CachePolicy& policy,
                     std::optional<absl::Duration> max_age, MonotonicTime now) {
  if (Entry* found = entries_.Find(account, digest); found != nullptr) {
    Entry& entry = *found;
    const int64_t age_limit = absl::ToInt64Nanoseconds(policy.age_limit);
    const int64_t idle_limit = absl::ToInt64Nanoseconds(policy.idle_limit);
    const int64_t age = now.nanoseconds() - entry.validated_at.nanoseconds();
    switch (LifeOf(entry, age_limit, idle_limit, now)) {
      case Life::kPastAge:
        return Miss(MissReason::kAge);
      case Life::kPastIdle:
        return Miss(MissReason::kIdle);
      case Life::kLive:
        break;
    }
    if (IsOlderThan(max_age, age)) return Miss(MissReason::kMaxAge);
    const bool refresh_due = policy.refresh_ahead && !entry.refresh_asked && IsInRefreshWindow(entry, age, age_limit);
    if (refresh_due) entry.refresh_asked = true;
    return Accepted(entry, age_limit, idle_limit, refresh_due, now);
  }

  NegativeEntry* negative = negatives_.Find(digest);
  if (negative == nullptr || !negative->Remembered(now, policy)) return Miss(WhyMissing(account, policy, now));
  const absl::Duration life = std::min(negative->life(), policy.negative_longest);
  const absl::Duration age = now - negative->validated_at;
  const bool too_old = IsOlderThan(max_age, absl::ToInt64Nanoseconds(age));
  Finding finding = {.kind = Finding::Kind::kRejected,
                     .validated_at = negative->validated_at,
                     .expires_at = negative->validated_at + life,
                     .revision = negative->revision,
                     .found_at = now};
  negative->visited = true;
  if (age < life && !too_old) return finding;
  finding.kind = Finding::Kind::kMiss;
  finding.reason = age < life ? MissReason::kMaxAge : WhyMissing(account, policy, now);
  finding.known_wrong = too_old ? Finding::Wrong::kTooLongAgo : Finding::Wrong::kLately;
  return finding;
}

MissReason Bucket::WhyMissing(uint64_t account, const CachePolicy& policy, MonotonicTime now) const {
  for (const Entry* at = entries_.FirstOf(account); at != nullptr; at = entries_.NextOfAccount(*at)) {
    if (LifeOf(*at, absl::ToInt64Nanoseconds(policy.age_limit), absl::ToInt64Nanoseconds(policy.idle_limit), now) ==
        Life::kLive) {
      return MissReason::kDigest;
    }
  }
  return fences_.Quarantined(account, now) ? MissReason::kQuarantine : MissReason::kAbsent;
}

Finding Bucket::FindStale(uint64_t account, const Digest& digest, const CachePolicy& policy,
                          std::optional<absl::Duration> max_age, MonotonicTime now) {
  Entry* found = entries_.Find(account, digest);
  if (found == nullptr) return Miss(WhyMissing(account, policy, now));
  Entry& entry = *found;
  if (Idle(entry, now) >= policy.idle_limit) return Miss(MissReason::kIdle);
  const absl::Duration age = now - entry.validated_at;
  const absl::Duration stale_limit = policy.age_limit + policy.stale_grace;
  if (age < policy.age_limit || age >= stale_limit) return Miss(MissReason::kAge);
  if (IsOlderThan(max_age, absl::ToInt64Nanoseconds(age))) return Miss(MissReason::kMaxAge);
  return Accepted(entry, absl::ToInt64Nanoseconds(stale_limit), absl::ToInt64Nanoseconds(policy.idle_limit),
                  /*refresh_due=*/false, now);
}

FillOutcome Bucket::Fill(uint64_t account, const FillRequest& request, Identity identity, const CachePolicy& policy,
                         bool quarantined, MonotonicTime now, Released& released) {
  return request.verdict == FillRequest::Verdict::kAccepted
             ? FillAccepted(account, request, std::move(identity), policy, quarantined, now, released)
             : FillOther(account, request, policy, now, released);
}

FillOutcome Bucket::FillAccepted(uint64_t account, const FillRequest& request, Identity identity,
                                 const CachePolicy& policy, bool quarantined, MonotonicTime now, Released& released) {
  // What is known from a later validation stands: of this digest, and, where one supersedes the other, of the account.
  for (const Entry* other = entries_.FirstOf(account); other != nullptr; other = entries_.NextOfAccount(*other)) {
    const bool concerned = policy.supersede || other->digest == request.digest;
    if (concerned && other->validated_at > request.validated_at && !IsGone(*other, policy, now)) {
      return FillOutcome::kOutdated;
    }
  }
  const NegativeEntry* negative = negatives_.Find(request.digest);
  if (negative != nullptr && negative->validated_at > request.validated_at && negative->Remembered(now, policy)) {
    return FillOutcome::kOutdated;
  }

  negatives_.Remove(request.digest);
  if (quarantined) return FillOutcome::kQuarantined;

  const Entry* known = entries_.Find(account, request.digest);
  if (request.refresh && (known == nullptr || IsGone(*known, policy, now))) return FillOutcome::kNotKept;
  MakeRoomInAccount(account, request.digest, policy, now, released);

  // A new validation brings a new identity, and so a new entry in the place of the one before.
  auto last_used = static_cast<uint64_t>(Milliseconds(now));
  bool visited = false;
  if (known != nullptr) {
    if (request.refresh) last_used = known->last_used_milliseconds;
    visited = known->visited || !request.refresh;
    entries_.Remove(*known, released);
  }
  Entry& fresh = entries_.Insert(account, request.digest, std::move(identity), released);
  fresh.realm = static_cast<uint16_t>(request.account.realm);
  fresh.last_used_milliseconds = last_used;
  fresh.visited = visited;
  fresh.validated_at = request.validated_at;
  fresh.revision = request.revision;
  return FillOutcome::kFilled;
}

// Of the account's other entries: drops those that are gone, and all where one digest supersedes the others; else
// leaves room for one of `digest`.
void Bucket::MakeRoomInAccount(uint64_t account, const Digest& digest, const CachePolicy& policy, MonotonicTime now,
                               Released& released) {
  int others = 0;
  const Entry* least_recent = nullptr;
  for (const Entry *at = entries_.FirstOf(account), *next = nullptr; at != nullptr; at = next) {
    next = entries_.NextOfAccount(*at);
    if (at->digest == digest) continue;
    if (policy.supersede || IsGone(*at, policy, now)) {
      entries_.Remove(*at, released);
      continue;
    }
    ++others;
    if (least_recent == nullptr || at->last_used_milliseconds <= least_recent->last_used_milliseconds) {
      least_recent = at;
    }
  }
  if (others >= kMaxDigestsPerAccount) entries_.Remove(*least_recent, released);
}

// Rejected, or not to be cached.
FillOutcome Bucket::FillOther(uint64_t account, const FillRequest& request, const CachePolicy& policy,
                              MonotonicTime now, Released& released) {
  if (const Entry* entry = entries_.Find(account, request.digest); entry != nullptr) {
    if (entry->validated_at > request.validated_at && !IsGone(*entry, policy, now)) return FillOutcome::kOutdated;
    entries_.Remove(*entry, released);
  }

  const NegativeEntry* known = negatives_.Find(request.digest);
  if (known != nullptr && !known->Remembered(now, policy)) known = nullptr;
  if (known != nullptr && known->validated_at > request.validated_at) return FillOutcome::kOutdated;
  const absl::Duration doubled = known == nullptr ? policy.negative_first : 2 * known->life();
  const absl::Duration life = std::min(doubled, policy.negative_longest);
  const bool kept =
      request.verdict == FillRequest::Verdict::kRejected && negatives_.capacity() > 0 && life >= absl::Milliseconds(1);
  if (!kept) {
    negatives_.Remove(request.digest);
    return FillOutcome::kNotKept;
  }

  NegativeEntry* entry = negatives_.Find(request.digest);
  if (entry == nullptr) entry = &negatives_.Insert(request.digest);
  entry->account = account;
  entry->validated_at = request.validated_at;
  entry->revision = request.revision;
  entry->realm = static_cast<uint16_t>(request.account.realm);
  entry->life_milliseconds =
      static_cast<uint32_t>(std::min<int64_t>(absl::ToInt64Milliseconds(life), std::numeric_limits<uint32_t>::max()));
  return FillOutcome::kFilled;
}

int64_t Bucket::ForgetAccount(uint64_t account, Released& released) {
  int64_t removed = 0;
  for (const Entry *at = entries_.FirstOf(account), *next = nullptr; at != nullptr; at = next) {
    next = entries_.NextOfAccount(*at);
    entries_.Remove(*at, released);
    ++removed;
  }
  for (uint32_t chunk = 0; chunk < negatives_.chunks(); ++chunk) {
    removed += negatives_.RemoveIf(chunk, [account](const NegativeEntry& entry) { return entry.account == account; });
  }
  return removed;
}

int64_t Bucket::ForgetRealm(RealmId realm, uint32_t part, Released& released) {
  const auto of_realm = [number = static_cast<uint16_t>(realm)](const auto& entry) { return entry.realm == number; };
  int64_t removed = 0;
  if (part < entries_.parts()) removed += entries_.RemoveIf(part, of_realm, released);
  if (part < negatives_.chunks()) removed += negatives_.RemoveIf(part, of_realm);
  if (part == 0) aliases_.ForgetRealm(realm);
  return removed;
}

void Bucket::Sweep(const RealmPolicies& policies, uint32_t part, MonotonicTime now, Released& released) {
  if (part < entries_.parts()) {
    entries_.RemoveIf(
        part,
        [&](const Entry& entry) {
          const CachePolicy* policy = policies.Of(RealmId{static_cast<uint16_t>(entry.realm)});
          return policy == nullptr || IsGone(entry, *policy, now);
        },
        released);
  }
  if (part < negatives_.chunks()) {
    negatives_.RemoveIf(part, [&](const NegativeEntry& entry) {
      const CachePolicy* policy = policies.Of(RealmId{entry.realm});
      return policy == nullptr || !entry.Remembered(now, *policy);
    });
  }
  if (part == 0) {
    aliases_.Sweep(now, policies);
    may_have_aliases_.store(!aliases_.empty(), std::memory_order_release);
    fences_.Sweep(now);
  }
}

uint32_t Bucket::parts() const { return std::max({uint32_t{1}, entries_.parts(), negatives_.chunks()}); }

Bucket::Contents Bucket::MakeContents() const {
  return {EntryTable::Entries(entries_capacity_), NegativeTable::Entries(),
          AliasIndex(static_cast<size_t>(entries_capacity_))};
}

void Bucket::ForgetAll(Contents& contents) {
  entries_.Clear(contents.entries);
  negatives_.Clear(contents.negatives);
  std::swap(aliases_, contents.aliases);
}

CacheCounts Bucket::Counts() const {
  return {.entries = entries_.size(),
          .negative_entries = negatives_.size(),
          .bytes = static_cast<int64_t>(sizeof(Bucket) + entries_.heap_size() + negatives_.heap_size() +
                                        aliases_.heap_size() + fences_.heap_size()),
          .evictions = entries_.evictions() + negatives_.evictions()};
}

int64_t Bucket::Milliseconds(MonotonicTime now) const {
  return std::max<int64_t>(0, now.nanoseconds() - start_.nanoseconds()) / 1'000'000;
}

absl::Duration Bucket::Idle(const Entry& entry, MonotonicTime now) const {
  return now - start_ - absl::Milliseconds(static_cast<int64_t>(entry.last_used_milliseconds));
}

Bucket::Life Bucket::LifeOf(const Entry& entry, int64_t age_limit, int64_t idle_limit, MonotonicTime now) const {
  if (now.nanoseconds() - entry.validated_at.nanoseconds() >= age_limit) return Life::kPastAge;
  const int64_t last_used = start_.nanoseconds() + static_cast<int64_t>(entry.last_used_milliseconds) * 1'000'000;
  return now.nanoseconds() - last_used >= idle_limit ? Life::kPastIdle : Life::kLive;
}

// Whether nothing will ever be answered from it.
bool Bucket::IsGone(const Entry& entry, const CachePolicy& policy, MonotonicTime now) const {
  return Idle(entry, now) >= policy.idle_limit ||
         now - entry.validated_at >= policy.age_limit + std::max(policy.stale_grace, absl::ZeroDuration());
}

void Bucket::Use(Entry& entry, MonotonicTime now) const {
  const auto milliseconds = static_cast<uint64_t>(Milliseconds(now));
  // Another thread may have read its clock later and come first.
  if (milliseconds > entry.last_used_milliseconds) entry.last_used_milliseconds = milliseconds;
  entry.visited = true;
}

Finding Bucket::Accepted(Entry& entry, int64_t age_limit, int64_t idle_limit, bool refresh_due,
                         MonotonicTime now) const {
  Use(entry, now);
  return {.kind = Finding::Kind::kAccepted,
          .refresh_due = refresh_due,
          .identity = entry.identity(),
          .validated_at = entry.validated_at,
          .expires_at = std::min(Plus(entry.validated_at, age_limit), Plus(now, idle_limit)),
          .revision = entry.revision,
          .found_at = now};
}

}  // namespace credcache
