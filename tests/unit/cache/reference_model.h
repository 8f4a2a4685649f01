// What the cache should do, written so plainly that it is obviously right: maps, no limits on memory, one clock.
//
// It evicts nothing, so a cache is compared with it exactly only while nothing is evicted there. It knows accounts by
// name and credentials by password, where the cache knows hashes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/cache_policy.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/names.h"
#include "base/outcome.h"
#include "base/revision.h"
#include "cache/cache.h"

namespace credcache {

class ReferenceModel {
 public:
  struct Name {
    RealmId realm;
    std::string name;
    friend auto operator<=>(const Name&, const Name&) = default;
  };
  using Credential = std::pair<Name, std::string>;  // of an account: with a password

  struct GoodEntry {
    std::string subject;
    MonotonicTime validated_at;
    MonotonicTime last_used;
    Revision revision;
    bool refresh_asked = false;
  };
  struct NegativeEntry {
    MonotonicTime validated_at;
    Revision revision;
    absl::Duration life;
  };
  struct Flight {
    Name asked;
    Name account;
    std::string password;
    FillRequest::Verdict verdict;
    std::string subject;
    MonotonicTime validated_at;
    Revision revision;
    bool refresh;
  };
  // A Finding, but for the refresh: when in the last tenth it is asked for is the cache's choice.
  struct Answer {
    Finding::Kind kind = Finding::Kind::kMiss;
    MissReason reason = MissReason::kAbsent;
    std::string subject;
    MonotonicTime validated_at;
    MonotonicTime expires_at;
    Revision revision;
    bool may_ask_for_refresh = false;
  };

  std::optional<std::string> FindCanonicalName(const Name& name, const CachePolicy& policy, MonotonicTime now) const {
    const auto alias = aliases_.find(name);
    if (alias == aliases_.end() || now - alias->second.learned_at >= policy.age_limit) return std::nullopt;
    return alias->second.canonical.name;
  }

  Answer Find(const Name& account, const std::string& password, const CachePolicy& policy,
              std::optional<absl::Duration> max_age, MonotonicTime now) {
    if (const auto found = good_.find({account, password}); found != good_.end()) {
      GoodEntry& entry = found->second;
      if (now - entry.validated_at >= policy.age_limit) return {.reason = MissReason::kAge};
      if (now - entry.last_used >= policy.idle_limit) return {.reason = MissReason::kIdle};
      if (TooOld(max_age, now - entry.validated_at)) return {.reason = MissReason::kMaxAge};
      entry.last_used = now;
      return {.kind = Finding::Kind::kAccepted,
              .subject = entry.subject,
              .validated_at = entry.validated_at,
              .expires_at = std::min(entry.validated_at + policy.age_limit, now + policy.idle_limit),
              .revision = entry.revision,
              .may_ask_for_refresh =
                  policy.refresh_ahead && !entry.refresh_asked && now - entry.validated_at >= policy.age_limit * 0.9};
    }
    if (const auto found = negative_.find({account, password}); found != negative_.end()) {
      const NegativeEntry& entry = found->second;
      const absl::Duration life = std::min(entry.life, policy.negative_longest);
      if (now - entry.validated_at < life) {
        if (TooOld(max_age, now - entry.validated_at)) return {.reason = MissReason::kMaxAge};
        return {.kind = Finding::Kind::kRejected,
                .validated_at = entry.validated_at,
                .expires_at = entry.validated_at + life,
                .revision = entry.revision};
      }
    }
    return {.reason = WhyNothing(account, policy, now)};
  }

  // Tells the model that the cache did ask.
  void RefreshAsked(const Name& account, const std::string& password) {
    good_.at({account, password}).refresh_asked = true;
  }

  Answer FindStale(const Name& account, const std::string& password, const CachePolicy& policy,
                   std::optional<absl::Duration> max_age, MonotonicTime now) {
    const auto found = good_.find({account, password});
    if (found == good_.end()) return {.reason = WhyNothing(account, policy, now)};
    GoodEntry& entry = found->second;
    if (now - entry.last_used >= policy.idle_limit) return {.reason = MissReason::kIdle};
    const absl::Duration age = now - entry.validated_at;
    if (age < policy.age_limit || age >= policy.age_limit + policy.stale_grace) return {.reason = MissReason::kAge};
    if (TooOld(max_age, age)) return {.reason = MissReason::kMaxAge};
    entry.last_used = now;
    return {.kind = Finding::Kind::kAccepted,
            .subject = entry.subject,
            .validated_at = entry.validated_at,
            .expires_at = std::min(entry.validated_at + policy.age_limit + policy.stale_grace, now + policy.idle_limit),
            .revision = entry.revision};
  }

  bool IsFenced(const Flight& flight) const {
    return flight.revision < all_fence_ || flight.revision < Of(realm_fences_, flight.account.realm) ||
           flight.revision < Of(name_fences_, flight.asked) || flight.revision < Of(name_fences_, flight.account);
  }

  FillOutcome Fill(const Flight& flight, const CachePolicy& policy, MonotonicTime now) {
    if (IsFenced(flight)) return FillOutcome::kFenced;
    const FillOutcome outcome = flight.verdict == FillRequest::Verdict::kAccepted ? FillAccepted(flight, policy, now)
                                                                                  : FillOther(flight, policy, now);
    if (outcome == FillOutcome::kFilled && flight.asked != flight.account) Learn(flight, policy);
    return outcome;
  }

  int64_t Forget(const Name& name, Revision revision, const CachePolicy& policy, MonotonicTime now) {
    std::set<Name> accounts = {name};
    if (const auto canonical = FindCanonicalName(name, policy, now); canonical.has_value()) {
      accounts.insert({name.realm, *canonical});
    }
    int64_t removed = 0;
    for (const Name& account : accounts) {
      const auto of_account = [&](const auto& item) { return item.first.first == account; };
      removed += static_cast<int64_t>(std::erase_if(good_, of_account) + std::erase_if(negative_, of_account));
      Raise(name_fences_[account], revision);
      MonotonicTime& until = quarantined_until_[account];
      until = std::max(until, now + policy.quarantine);
      for (const auto& [other, learned_at] : names_of_[account]) {
        if (now - learned_at >= policy.age_limit) continue;
        Raise(name_fences_[other], revision);
        if (const auto alias = aliases_.find(other); alias != aliases_.end() && alias->second.canonical == account) {
          aliases_.erase(alias);
        }
      }
      names_of_.erase(account);
    }
    return removed;
  }

  int64_t ForgetRealm(RealmId realm, Revision revision) {
    FenceRealm(realm, revision);
    const auto of_realm = [&](const auto& item) { return item.first.first.realm == realm; };
    std::erase_if(aliases_, [&](const auto& alias) { return alias.first.realm == realm; });
    std::erase_if(names_of_, [&](const auto& names) { return names.first.realm == realm; });
    return static_cast<int64_t>(std::erase_if(good_, of_realm) + std::erase_if(negative_, of_realm));
  }

  int64_t ForgetAll(Revision revision) {
    Raise(all_fence_, revision);
    const auto removed = static_cast<int64_t>(good_.size() + negative_.size());
    good_.clear();
    negative_.clear();
    aliases_.clear();
    names_of_.clear();
    return removed;
  }

  void FenceRealm(RealmId realm, Revision revision) { Raise(realm_fences_[realm], revision); }

  void Sweep(const std::vector<CachePolicy>& policies, MonotonicTime now) {
    const auto policy_of = [&](const Name& name) -> const CachePolicy& {
      return policies[static_cast<size_t>(name.realm)];
    };
    std::erase_if(good_, [&](const auto& item) { return Forgotten(item.second, policy_of(item.first.first), now); });
    std::erase_if(negative_,
                  [&](const auto& item) { return Forgotten(item.second, policy_of(item.first.first), now); });
    std::erase_if(aliases_,
                  [&](const auto& alias) { return now - alias.second.learned_at >= policy_of(alias.first).age_limit; });
    for (auto& [account, names] : names_of_) {
      const absl::Duration age_limit = policy_of(account).age_limit;
      std::erase_if(names, [&](const auto& name) { return now - name.second >= age_limit; });
    }
  }

  int64_t entries() const { return static_cast<int64_t>(good_.size()); }
  int64_t negative_entries() const { return static_cast<int64_t>(negative_.size()); }
  bool HasGood(const Name& account, const std::string& password) const { return good_.contains({account, password}); }

 private:
  struct Alias {
    Name canonical;
    MonotonicTime learned_at;
  };

  template <typename Key>
  static Revision Of(const std::map<Key, Revision>& fences, const Key& key) {
    const auto found = fences.find(key);
    return found == fences.end() ? Revision() : found->second;
  }
  static void Raise(Revision& fence, Revision revision) { fence = std::max(fence, revision); }

  static bool TooOld(std::optional<absl::Duration> max_age, absl::Duration age) {
    return max_age.has_value() && (*max_age <= absl::ZeroDuration() || age > *max_age);
  }

  // Whether no answer can come from it any more, nor any memory of it count.
  static bool Forgotten(const GoodEntry& entry, const CachePolicy& policy, MonotonicTime now) {
    return now - entry.validated_at >= policy.age_limit + policy.stale_grace ||
           now - entry.last_used >= policy.idle_limit;
  }
  static bool Forgotten(const NegativeEntry& entry, const CachePolicy& policy, MonotonicTime now) {
    return now - entry.validated_at >=
           entry.life + std::max({entry.life, policy.negative_longest, policy.negative_memory});
  }

  bool Quarantined(const Name& name, MonotonicTime now) const {
    const auto found = quarantined_until_.find(name);
    return found != quarantined_until_.end() && now < found->second;
  }

  MissReason WhyNothing(const Name& account, const CachePolicy& policy, MonotonicTime now) const {
    for (const auto& [credential, entry] : good_) {
      if (credential.first == account && now - entry.validated_at < policy.age_limit &&
          now - entry.last_used < policy.idle_limit) {
        return MissReason::kDigest;
      }
    }
    return Quarantined(account, now) ? MissReason::kQuarantine : MissReason::kAbsent;
  }

  FillOutcome FillAccepted(const Flight& flight, const CachePolicy& policy, MonotonicTime now) {
    const Credential credential = {flight.account, flight.password};
    for (const auto& [other, entry] : good_) {
      const bool concerned = other == credential || (policy.supersede && other.first == flight.account);
      if (concerned && !Forgotten(entry, policy, now) && entry.validated_at > flight.validated_at) {
        return FillOutcome::kOutdated;
      }
    }
    if (const auto known = negative_.find(credential); known != negative_.end()) {
      if (!Forgotten(known->second, policy, now) && known->second.validated_at > flight.validated_at) {
        return FillOutcome::kOutdated;
      }
      negative_.erase(known);
    }
    if (Quarantined(flight.asked, now) || Quarantined(flight.account, now)) return FillOutcome::kQuarantined;

    const auto same = good_.find(credential);
    const bool there = same != good_.end() && !Forgotten(same->second, policy, now);
    if (flight.refresh && !there) return FillOutcome::kNotKept;
    const MonotonicTime last_used = flight.refresh ? same->second.last_used : now;
    std::erase_if(good_, [&](const auto& item) {
      return item.first.first == flight.account && item.first != credential &&
             (policy.supersede || Forgotten(item.second, policy, now));
    });
    LeaveRoomFor(credential);
    good_[credential] = {.subject = flight.subject,
                         .validated_at = flight.validated_at,
                         .last_used = last_used,
                         .revision = flight.revision};
    return FillOutcome::kFilled;
  }

  // At most kMaxDigestsPerAccount of an account: the least recently used goes.
  void LeaveRoomFor(const Credential& credential) {
    int others = 0;
    auto least_recent = good_.end();
    for (auto at = good_.begin(); at != good_.end(); ++at) {
      if (at->first.first != credential.first || at->first == credential) continue;
      ++others;
      if (least_recent == good_.end() || at->second.last_used < least_recent->second.last_used) least_recent = at;
    }
    if (others >= kMaxDigestsPerAccount) good_.erase(least_recent);
  }

  FillOutcome FillOther(const Flight& flight, const CachePolicy& policy, MonotonicTime now) {
    const Credential credential = {flight.account, flight.password};
    if (const auto found = good_.find(credential); found != good_.end()) {
      if (!Forgotten(found->second, policy, now) && found->second.validated_at > flight.validated_at) {
        return FillOutcome::kOutdated;
      }
      good_.erase(found);
    }
    absl::Duration life = policy.negative_first;
    if (const auto known = negative_.find(credential);
        known != negative_.end() && !Forgotten(known->second, policy, now)) {
      if (known->second.validated_at > flight.validated_at) return FillOutcome::kOutdated;
      life = 2 * known->second.life;
    }
    life = std::min(life, policy.negative_longest);
    negative_.erase(credential);
    if (flight.verdict != FillRequest::Verdict::kRejected || life == absl::ZeroDuration()) {
      return FillOutcome::kNotKept;
    }
    negative_[credential] = {.validated_at = flight.validated_at, .revision = flight.revision, .life = life};
    return FillOutcome::kFilled;
  }

  void Learn(const Flight& flight, const CachePolicy& policy) {
    MonotonicTime& learned_at = names_of_[flight.account][flight.asked];
    learned_at = std::max(learned_at, flight.validated_at);
    const auto known = aliases_.find(flight.asked);
    if (known != aliases_.end()) {
      const bool same = known->second.canonical == flight.account;
      if (same && flight.validated_at - known->second.learned_at < policy.age_limit) return;
      if (!same && flight.validated_at < known->second.learned_at) return;
    }
    aliases_[flight.asked] = {.canonical = flight.account, .learned_at = flight.validated_at};
  }

  std::map<Credential, GoodEntry> good_;
  std::map<Credential, NegativeEntry> negative_;
  std::map<Name, Alias> aliases_;
  std::map<Name, std::map<Name, MonotonicTime>>
      names_of_;  // under which other names an account was asked, and when last
  std::map<Name, MonotonicTime> quarantined_until_;
  std::map<Name, Revision> name_fences_;
  std::map<RealmId, Revision> realm_fences_;
  Revision all_fence_;
};

}  // namespace credcache
