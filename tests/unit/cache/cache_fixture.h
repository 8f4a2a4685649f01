// A cache with a clock that stands still, and short words for what happens to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/fake_clock.h"
#include "cache/cache.h"
#include "cache/digest.h"
#include "cache/fake_randomness.h"

namespace credcache {

class CacheFixture {
 public:
  using Kind = Finding::Kind;
  using Verdict = FillRequest::Verdict;

  static constexpr RealmId kRealm{1};

  explicit CacheFixture(CacheOptions options = {.buckets = 7, .max_entries = 7 * 1024})
      : cache(options, clock, randomness) {}

  // A validation under way, as it began.
  struct Flight {
    Username asked;
    Username account;
    std::string password;
    MonotonicTime began;
    Revision revision;
    RealmId realm = kRealm;
  };

  static Username Name(absl::string_view name) { return *Username::Normalize(name, CaseRule::kFold); }

  Digest DigestOf(const Username& account, absl::string_view password, RealmId realm = kRealm) const {
    return digester.Compute(absl::StrCat("realm ", static_cast<int>(realm)), account.view(), SecretView(password));
  }

  Flight Begin(absl::string_view name, absl::string_view password) const { return BeginAs(name, name, password); }
  Flight BeginAs(absl::string_view asked, absl::string_view account, absl::string_view password) const {
    return {Name(asked), Name(account), std::string(password), clock.Monotonic(), applied};
  }

  FillOutcome End(const Flight& flight, Verdict verdict, bool refresh = false) {
    const Digest digest = DigestOf(flight.account, flight.password, flight.realm);
    return cache.Fill(
        {.asked = flight.asked,
         .account = {flight.realm, flight.account},
         .digest = digest,
         .verdict = verdict,
         .identity = verdict == Verdict::kAccepted ? Identity(flight.account.view(), "subject") : Identity(),
         .validated_at = flight.began,
         .revision = flight.revision,
         .refresh = refresh},
        policy);
  }

  FillOutcome Accept(absl::string_view name, absl::string_view password) {
    return End(Begin(name, password), Verdict::kAccepted);
  }
  FillOutcome AcceptAs(absl::string_view asked, absl::string_view account, absl::string_view password) {
    return End(BeginAs(asked, account, password), Verdict::kAccepted);
  }
  FillOutcome Reject(absl::string_view name, absl::string_view password) {
    return End(Begin(name, password), Verdict::kRejected);
  }

  Finding Find(absl::string_view name, absl::string_view password,
               std::optional<absl::Duration> max_age = std::nullopt) {
    const Username username = Name(name);
    return cache.Find({kRealm, username}, DigestOf(username, password), policy, max_age);
  }
  Kind KindOf(absl::string_view name, absl::string_view password) { return Find(name, password).kind; }
  // Of what must be a miss; nothing otherwise.
  std::optional<MissReason> Miss(absl::string_view name, absl::string_view password,
                                 std::optional<absl::Duration> max_age = std::nullopt) {
    const Finding finding = Find(name, password, max_age);
    return finding.kind == Kind::kMiss ? std::optional(finding.reason) : std::nullopt;
  }
  Finding FindStale(absl::string_view name, absl::string_view password,
                    std::optional<absl::Duration> max_age = std::nullopt) {
    const Username username = Name(name);
    return cache.FindStale({kRealm, username}, DigestOf(username, password), policy, max_age);
  }
  std::string CanonicalName(absl::string_view name) const {
    const Username username = Name(name);
    const auto found = cache.FindCanonicalName({kRealm, username}, policy, clock.Monotonic());
    return found.has_value() ? std::string(found->view()) : "";
  }

  // As MemoryJournal does: the revision counts as applied once it is.
  int64_t Forget(absl::string_view name) {
    const Username username = Name(name);
    const int64_t removed = cache.Forget({kRealm, username}, Next(), policy);
    applied = Next();
    return removed;
  }
  int64_t ForgetRealm(RealmId realm = kRealm) {
    const int64_t removed = cache.ForgetRealm(realm, Next());
    applied = Next();
    return removed;
  }
  int64_t ForgetAll() {
    const int64_t removed = cache.ForgetAll(Next());
    applied = Next();
    return removed;
  }
  void FenceRealm() {
    cache.FenceRealm(kRealm, Next());
    applied = Next();
  }
  bool IsFenced(const Flight& flight) const {
    return cache.IsFenced(flight.asked, {flight.realm, flight.account}, flight.revision);
  }

  void Sweep() {
    const CachePolicy* const policies[] = {nullptr, &policy, &policy};
    for (int i = 0; i < cache.buckets(); ++i) cache.Sweep(i, policies);
  }

  Revision Next() const { return Revision(applied.value() + 1); }

  FakeClock clock;
  SeededRandomness randomness{20261122};
  CachePolicy policy;
  Revision applied;
  Digester digester{randomness};
  Cache cache;
};

}  // namespace credcache
