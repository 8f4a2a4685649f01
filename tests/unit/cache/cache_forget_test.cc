// Forgetting: fences, quarantine, and all names of an account.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cache/cache.h"
#include "cache/cache_fixture.h"
#include "cache/fence_table.h"

namespace credcache {
namespace {

using Kind = Finding::Kind;
using Verdict = FillRequest::Verdict;

TEST(CacheForgetTest, RemovesGoodAndNegativeEntriesOfTheAccountAlone) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.Reject("alice", "guess");
  f.Reject("alice", "another guess");
  f.Accept("bob", "s3cret");
  f.Reject("bob", "guess");
  EXPECT_EQ(f.Forget("alice"), 3);
  EXPECT_EQ(f.KindOf("alice", "s3cret"), Kind::kMiss);
  EXPECT_EQ(f.KindOf("alice", "guess"), Kind::kMiss);
  EXPECT_EQ(f.KindOf("bob", "s3cret"), Kind::kAccepted);
  EXPECT_EQ(f.KindOf("bob", "guess"), Kind::kRejected);
  EXPECT_EQ(f.Forget("alice"), 0);
}

TEST(CacheForgetTest, AFlightFromBeforeFillsNothing) {
  for (const Verdict verdict : {Verdict::kAccepted, Verdict::kRejected, Verdict::kNotCachable}) {
    CacheFixture f;
    f.policy.quarantine = absl::ZeroDuration();
    const auto before = f.Begin("alice", "s3cret");
    f.Forget("alice");
    const auto after = f.Begin("alice", "s3cret");
    EXPECT_TRUE(f.IsFenced(before));
    EXPECT_FALSE(f.IsFenced(after));
    EXPECT_EQ(f.End(before, verdict), FillOutcome::kFenced);
    EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kAbsent);
    EXPECT_EQ(f.End(after, Verdict::kAccepted), FillOutcome::kFilled);
  }
}

TEST(CacheForgetTest, AFencedFlightRemovesNothingEither) {
  CacheFixture f;
  f.policy.quarantine = absl::ZeroDuration();
  const auto before = f.Begin("alice", "s3cret");
  f.Forget("alice");
  f.Accept("alice", "s3cret");
  EXPECT_EQ(f.End(before, Verdict::kRejected), FillOutcome::kFenced);
  EXPECT_EQ(f.KindOf("alice", "s3cret"), Kind::kAccepted);
}

TEST(CacheForgetTest, TheFenceHoldsAfterAnotherFill) {
  CacheFixture f;
  f.policy.quarantine = absl::ZeroDuration();
  const auto before = f.Begin("alice", "old");
  f.Forget("alice");
  f.Accept("alice", "new");
  f.Forget("bob");
  EXPECT_EQ(f.End(before, Verdict::kAccepted), FillOutcome::kFenced);
}

TEST(CacheForgetTest, ALowerRevisionDoesNotLowerTheFence) {
  CacheFixture f;
  f.policy.quarantine = absl::ZeroDuration();
  const Username alice = f.Name("alice");
  f.cache.Forget({f.kRealm, alice}, Revision(10), f.policy);
  f.cache.Forget({f.kRealm, alice}, Revision(3), f.policy);
  f.applied = Revision(9);
  EXPECT_EQ(f.Accept("alice", "s3cret"), FillOutcome::kFenced);
  f.applied = Revision(10);
  EXPECT_EQ(f.Accept("alice", "s3cret"), FillOutcome::kFilled);
}

TEST(CacheForgetTest, OthersAreNotFenced) {
  CacheFixture f;
  const auto bob = f.Begin("bob", "s3cret");
  f.Forget("alice");
  EXPECT_FALSE(f.IsFenced(bob));
  EXPECT_EQ(f.End(bob, Verdict::kAccepted), FillOutcome::kFilled);
}

TEST(CacheForgetTest, QuarantineKeepsNoAcceptanceForAWhile) {
  CacheFixture f;
  f.Accept("alice", "old");
  f.Forget("alice");
  EXPECT_EQ(f.Miss("alice", "old"), MissReason::kQuarantine);
  EXPECT_EQ(f.Accept("alice", "new"), FillOutcome::kQuarantined);
  EXPECT_EQ(f.Miss("alice", "new"), MissReason::kQuarantine);
  EXPECT_EQ(f.Reject("alice", "guess"), FillOutcome::kFilled);
  EXPECT_EQ(f.KindOf("alice", "guess"), Kind::kRejected);
  EXPECT_EQ(f.Accept("bob", "s3cret"), FillOutcome::kFilled);
  f.clock.Advance(f.policy.quarantine);
  EXPECT_EQ(f.Miss("alice", "new"), MissReason::kAbsent);
  EXPECT_EQ(f.Accept("alice", "new"), FillOutcome::kFilled);
}

TEST(CacheForgetTest, AcceptanceInQuarantineStillRemovesTheNegativeEntry) {
  CacheFixture f;
  f.Forget("alice");
  f.Reject("alice", "new");
  f.clock.Advance(absl::Seconds(1));
  EXPECT_EQ(f.Accept("alice", "new"), FillOutcome::kQuarantined);
  EXPECT_EQ(f.Miss("alice", "new"), MissReason::kQuarantine);
}

TEST(CacheForgetTest, ForgetRealmTakesTheRealmAndFencesIt) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.Reject("bob", "guess");
  f.AcceptAs("al", "alice", "s3cret");
  auto elsewhere = f.Begin("alice", "s3cret");
  elsewhere.realm = RealmId{2};
  f.End(elsewhere, Verdict::kAccepted);
  const auto before = f.Begin("carol", "s3cret");
  EXPECT_EQ(f.ForgetRealm(), 2);
  EXPECT_EQ(f.End(before, Verdict::kAccepted), FillOutcome::kFenced);
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kAbsent);
  EXPECT_EQ(f.CanonicalName("al"), "");
  EXPECT_EQ(f.End(elsewhere, Verdict::kAccepted), FillOutcome::kFilled) << "another realm is not fenced";
  EXPECT_EQ(f.cache.Counts().entries, 1);
  EXPECT_EQ(f.Accept("alice", "s3cret"), FillOutcome::kFilled);
}

TEST(CacheForgetTest, ForgetAllTakesAllAndFencesAll) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.Reject("bob", "guess");
  f.AcceptAs("al", "alice", "s3cret");
  auto elsewhere = f.Begin("alice", "s3cret");
  elsewhere.realm = RealmId{2};
  f.End(elsewhere, Verdict::kAccepted);
  EXPECT_EQ(f.ForgetAll(), 3);
  EXPECT_EQ(f.End(elsewhere, Verdict::kAccepted), FillOutcome::kFenced);
  EXPECT_EQ(f.CanonicalName("al"), "");
  const CacheCounts counts = f.cache.Counts();
  EXPECT_EQ(counts.entries, 0);
  EXPECT_EQ(counts.negative_entries, 0);
  EXPECT_EQ(f.Accept("alice", "s3cret"), FillOutcome::kFilled);
}

TEST(CacheForgetTest, FenceRealmKeepsWhatIsThere) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  const auto before = f.Begin("bob", "s3cret");
  f.FenceRealm();
  EXPECT_TRUE(f.IsFenced(before));
  EXPECT_EQ(f.End(before, Verdict::kAccepted), FillOutcome::kFenced);
  EXPECT_EQ(f.KindOf("alice", "s3cret"), Kind::kAccepted);
  EXPECT_EQ(f.Accept("bob", "s3cret"), FillOutcome::kFilled);
}

TEST(CacheAliasTest, LearnsOtherNamesAndForgetsThemWithTheirAge) {
  CacheFixture f;
  EXPECT_EQ(f.CanonicalName("al"), "");
  f.AcceptAs("al", "alice", "s3cret");
  EXPECT_EQ(f.CanonicalName("al"), "alice");
  EXPECT_EQ(f.CanonicalName("alice"), "") << "it is its own";
  EXPECT_EQ(f.KindOf("alice", "s3cret"), Kind::kAccepted);
  f.clock.Advance(f.policy.age_limit - absl::Nanoseconds(1));
  EXPECT_EQ(f.CanonicalName("al"), "alice");
  f.clock.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(f.CanonicalName("al"), "");
}

TEST(CacheAliasTest, LearnsFromRejectionsToo) {
  CacheFixture f;
  f.End(f.BeginAs("al", "alice", "guess"), Verdict::kRejected);
  EXPECT_EQ(f.CanonicalName("al"), "alice");
}

TEST(CacheAliasTest, AFlightThatMayHaveTheNameFromHereDoesNotProlongIt) {
  CacheFixture f;
  f.AcceptAs("al", "alice", "s3cret");
  f.clock.Advance(f.policy.age_limit - absl::Seconds(1));
  const auto flight = f.BeginAs("al", "alice", "s3cret");
  f.clock.Advance(absl::Seconds(1));
  f.End(flight, Verdict::kAccepted);
  EXPECT_EQ(f.CanonicalName("al"), "");
  f.AcceptAs("al", "alice", "s3cret");
  EXPECT_EQ(f.CanonicalName("al"), "alice");
}

TEST(CacheAliasTest, ANameThatMovedStandsForItsNewAccount) {
  CacheFixture f;
  f.AcceptAs("postmaster", "alice", "s3cret");
  f.clock.Advance(absl::Seconds(1));
  const auto slow = f.BeginAs("postmaster", "alice", "s3cret");
  f.clock.Advance(absl::Seconds(1));
  f.AcceptAs("postmaster", "bob", "s3cret");
  EXPECT_EQ(f.CanonicalName("postmaster"), "bob");
  f.End(slow, Verdict::kAccepted);
  EXPECT_EQ(f.CanonicalName("postmaster"), "bob");
  f.Forget("alice");
  EXPECT_EQ(f.CanonicalName("postmaster"), "bob");
}

TEST(CacheAliasTest, NonAsciiNamesComeBackAsTheyWere) {
  CacheFixture f;
  f.AcceptAs("rémi", "rémi.σίσυφοσ", "s3cret");
  EXPECT_EQ(f.CanonicalName("rémi"), "rémi.σίσυφοσ");
}

TEST(CacheAliasTest, ForgettingUnderAnyNameForgetsAll) {
  for (const std::string name : {"alice", "al", "alice@mail"}) {
    CacheFixture f;
    f.AcceptAs("al", "alice", "s3cret");
    f.End(f.BeginAs("alice@mail", "alice", "guess"), Verdict::kRejected);
    std::vector<CacheFixture::Flight> before;
    for (const absl::string_view asked : {"alice", "al", "alice@mail"}) {
      before.push_back(f.BeginAs(asked, "alice", "s3cret"));
      before.push_back(f.BeginAs(asked, "somebody.else", "s3cret"));
    }
    EXPECT_EQ(f.Forget(name), 2) << name;
    EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kQuarantine);
    EXPECT_EQ(f.Miss("alice", "guess"), MissReason::kQuarantine);
    EXPECT_EQ(f.CanonicalName("al"), "");
    EXPECT_EQ(f.CanonicalName("alice@mail"), "");
    for (const auto& flight : before) {
      EXPECT_TRUE(f.IsFenced(flight)) << name << " " << flight.asked.view();
      EXPECT_EQ(f.End(flight, Verdict::kAccepted), FillOutcome::kFenced);
    }
    EXPECT_EQ(f.Accept("alice", "s3cret"), FillOutcome::kQuarantined);
  }
}

TEST(CacheAliasTest, AnUnknownNameFencesAndQuarantinesItsFlights) {
  CacheFixture f;
  const auto before = f.BeginAs("al", "alice", "s3cret");
  f.Forget("al");
  EXPECT_TRUE(f.IsFenced(before));
  EXPECT_EQ(f.End(before, Verdict::kAccepted), FillOutcome::kFenced);
  EXPECT_EQ(f.AcceptAs("al", "alice", "s3cret"), FillOutcome::kQuarantined);
  EXPECT_EQ(f.Accept("alice", "s3cret"), FillOutcome::kFilled) << "nobody said that al is alice";
}

TEST(CacheAliasTest, HasMoreNamesThanAreKeptWithoutHarm) {
  CacheFixture f;
  f.policy.quarantine = absl::ZeroDuration();
  for (int i = 0; i < 40; ++i) {
    f.clock.Advance(absl::Seconds(1));
    f.AcceptAs(absl::StrCat("alice+", i), "alice", "s3cret");
  }
  const auto before = f.BeginAs("alice+0", "alice", "s3cret");
  EXPECT_EQ(f.Forget("alice"), 1);
  EXPECT_EQ(f.End(before, Verdict::kAccepted), FillOutcome::kFenced);
  EXPECT_EQ(f.CanonicalName("alice+39"), "");
  EXPECT_EQ(f.Forget("alice+0"), 0);
}

TEST(FenceTableTest, DroppedByAgeItStillRefusesOlderFlights) {
  FenceTable fences;
  MonotonicTime now;
  fences.RaiseName(1, Revision(5), absl::ZeroDuration(), now);
  EXPECT_TRUE(fences.Refuses(1, RealmId{0}, Revision(4)));
  EXPECT_FALSE(fences.Refuses(1, RealmId{0}, Revision(5)));
  EXPECT_FALSE(fences.Refuses(2, RealmId{0}, Revision(4)));
  const size_t size = fences.heap_size();
  fences.Sweep(now + FenceTable::kKept - absl::Nanoseconds(1));
  EXPECT_EQ(fences.heap_size(), size);
  fences.Sweep(now + FenceTable::kKept);
  EXPECT_LT(fences.heap_size(), size);
  EXPECT_TRUE(fences.Refuses(1, RealmId{0}, Revision(4)));
  EXPECT_FALSE(fences.Refuses(1, RealmId{0}, Revision(5)));
}

TEST(FenceTableTest, TooManyAreNeverForgottenInThePermissiveDirection) {
  FenceTable fences;
  const MonotonicTime now;
  constexpr uint64_t kNames = 10 * FenceTable::kMaxNames;
  size_t largest = 0;
  for (uint64_t name = 1; name <= kNames; ++name) {
    fences.RaiseName(name, Revision(name), absl::Seconds(5), now);
    if (name == FenceTable::kMaxNames) largest = fences.heap_size();
  }
  EXPECT_LE(fences.heap_size(), largest);
  for (uint64_t name = 1; name <= kNames; ++name) {
    EXPECT_TRUE(fences.Refuses(name, RealmId{0}, Revision(name - 1)));
    EXPECT_TRUE(fences.Quarantined(name, now + absl::Seconds(5) - absl::Nanoseconds(1)));
    EXPECT_FALSE(fences.Refuses(name, RealmId{0}, Revision(kNames)));
    EXPECT_FALSE(fences.Quarantined(name, now + absl::Seconds(5)));
  }
}

TEST(FenceTableTest, IsKeptForItsQuarantine) {
  FenceTable fences;
  const MonotonicTime now;
  fences.RaiseName(1, Revision(5), absl::Hours(1), now);
  fences.Sweep(now + absl::Minutes(59));
  EXPECT_TRUE(fences.Quarantined(1, now + absl::Minutes(59)));
  EXPECT_FALSE(fences.Quarantined(2, now + absl::Minutes(59)));
}

TEST(FenceTableTest, AShorterQuarantineDoesNotEndALongerOne) {
  FenceTable fences;
  const MonotonicTime now;
  fences.RaiseName(1, Revision(5), absl::Seconds(5), now);
  fences.RaiseName(1, Revision(6), absl::ZeroDuration(), now);
  EXPECT_TRUE(fences.Quarantined(1, now + absl::Seconds(4)));
}

}  // namespace
}  // namespace credcache
