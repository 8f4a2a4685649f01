// The life of a good entry.
#include "cache/cache.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "cache/cache_fixture.h"

namespace credcache {
namespace {

using Kind = Finding::Kind;
using Verdict = FillRequest::Verdict;

TEST(CacheTest, KnowsNothingAtFirst) {
  CacheFixture f;
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kAbsent);
}

TEST(CacheTest, AnswersWhatWasAccepted) {
  CacheFixture f;
  f.applied = Revision(7);
  const MonotonicTime began = f.clock.Monotonic();
  const auto flight = f.Begin("alice", "s3cret");
  f.clock.Advance(absl::Seconds(2));
  EXPECT_EQ(f.End(flight, Verdict::kAccepted), FillOutcome::kFilled);
  const Finding finding = f.Find("alice", "s3cret");
  EXPECT_EQ(finding.kind, Kind::kAccepted);
  EXPECT_EQ(finding.identity.username(), "alice");
  EXPECT_EQ(finding.identity.subject(), "subject");
  EXPECT_EQ(finding.validated_at, began);
  EXPECT_EQ(finding.expires_at, f.clock.Monotonic() + f.policy.idle_limit);
  EXPECT_EQ(finding.revision, Revision(7));
  EXPECT_FALSE(finding.refresh_due);
}

TEST(CacheTest, RealmsAreApart) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  const Username alice = f.Name("alice");
  const RealmId other{2};
  EXPECT_EQ(f.cache.Find({other, alice}, f.DigestOf(alice, "s3cret", other), f.policy, std::nullopt).reason,
            MissReason::kAbsent);
}

TEST(CacheTest, LocatesANameInItsRealmAlone) {
  CacheFixture f;
  const Username alice = f.Name("alice");
  const Username bob = f.Name("bob");
  const uint64_t hash = f.cache.Locate({f.kRealm, alice});
  EXPECT_NE(hash, 0);
  EXPECT_EQ(f.cache.Locate({f.kRealm, alice}), hash);
  EXPECT_NE(f.cache.Locate({f.kRealm, bob}), hash);
  EXPECT_NE(f.cache.Locate({RealmId{2}, alice}), hash);
}

TEST(CacheTest, RejectedPasswordKeepsTheGoodEntry) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.Reject("alice", "guess");
  EXPECT_EQ(f.KindOf("alice", "s3cret"), Kind::kAccepted);
  EXPECT_EQ(f.KindOf("alice", "guess"), Kind::kRejected);
}

TEST(CacheTest, SaysThatAnotherPasswordIsKnown) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  EXPECT_EQ(f.Miss("alice", "guess"), MissReason::kDigest);
  f.clock.Advance(f.policy.idle_limit);
  EXPECT_EQ(f.Miss("alice", "guess"), MissReason::kAbsent);
}

TEST(CacheTest, HitsRestartTheIdleClock) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  for (int i = 0; i < 5; ++i) {
    f.clock.Advance(f.policy.idle_limit - absl::Milliseconds(1));
    EXPECT_EQ(f.KindOf("alice", "s3cret"), Kind::kAccepted);
  }
  f.clock.Advance(f.policy.idle_limit);
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kIdle);
}

TEST(CacheTest, UseDoesNotProlongTheAge) {
  CacheFixture f;
  f.policy.age_limit = absl::Minutes(30);
  f.Accept("alice", "s3cret");
  f.clock.Advance(absl::Minutes(14));
  f.Find("alice", "s3cret");
  f.clock.Advance(absl::Minutes(14));
  EXPECT_EQ(f.Find("alice", "s3cret").expires_at, f.clock.Monotonic() + absl::Minutes(2));
  f.clock.Advance(absl::Minutes(2) - absl::Nanoseconds(1));
  EXPECT_EQ(f.KindOf("alice", "s3cret"), Kind::kAccepted);
  f.clock.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kAge);
}

TEST(CacheTest, AgeCountsFromTheBeginningOfTheFlight) {
  CacheFixture f;
  f.policy.age_limit = absl::Minutes(10);
  const auto flight = f.Begin("alice", "s3cret");
  f.clock.Advance(absl::Minutes(4));
  f.End(flight, Verdict::kAccepted);
  f.clock.Advance(absl::Minutes(6));
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kAge);
}

TEST(CacheTest, NamesAgeBeforeIdleBeforeMaxAge) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.clock.Advance(absl::Minutes(5));
  EXPECT_EQ(f.Miss("alice", "s3cret", absl::Minutes(4)), MissReason::kMaxAge);
  f.clock.Advance(absl::Minutes(15));
  EXPECT_EQ(f.Miss("alice", "s3cret", absl::Minutes(4)), MissReason::kIdle);
  f.clock.Advance(absl::Minutes(120));
  EXPECT_EQ(f.Miss("alice", "s3cret", absl::Minutes(4)), MissReason::kAge);
}

TEST(CacheTest, MaxAgeIsHowLongAgoItMayHaveBeen) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  EXPECT_EQ(f.Miss("alice", "s3cret", absl::ZeroDuration()), MissReason::kMaxAge) << "zero: validate now";
  f.clock.Advance(absl::Minutes(5));
  EXPECT_EQ(f.Find("alice", "s3cret", absl::Minutes(5)).kind, Kind::kAccepted);
  EXPECT_EQ(f.Miss("alice", "s3cret", absl::Minutes(5) - absl::Nanoseconds(1)), MissReason::kMaxAge);
  EXPECT_EQ(f.Find("alice", "s3cret", absl::InfiniteDuration()).kind, Kind::kAccepted);
}

TEST(CacheTest, AMissByMaxAgeIsNoUse) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.clock.Advance(absl::Minutes(10));
  f.Find("alice", "s3cret", absl::ZeroDuration());
  f.clock.Advance(absl::Minutes(10));
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kIdle);
}

TEST(CacheTest, LimitsThatAreInfiniteNeverPass) {
  CacheFixture f;
  f.policy.age_limit = absl::InfiniteDuration();
  f.policy.idle_limit = absl::InfiniteDuration();
  f.Accept("alice", "s3cret");
  f.clock.Advance(absl::Hours(24 * 365 * 10));
  f.Sweep();
  const Finding finding = f.Find("alice", "s3cret");
  EXPECT_EQ(finding.kind, Kind::kAccepted);
  EXPECT_EQ(finding.expires_at, MonotonicTime::InfiniteFuture());
}

TEST(CacheTest, IdleLimitsMayBeShort) {
  CacheFixture f;
  f.policy.idle_limit = absl::Milliseconds(20);
  f.clock.Advance(absl::Microseconds(300));
  f.Accept("alice", "s3cret");
  f.clock.Advance(absl::Milliseconds(19));
  EXPECT_EQ(f.KindOf("alice", "s3cret"), Kind::kAccepted);
  f.clock.Advance(absl::Milliseconds(20));
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kIdle);
}

TEST(CacheTest, AcceptanceMakesAPastEntryFresh) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.clock.Advance(f.policy.age_limit);
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kAge);
  EXPECT_EQ(f.Accept("alice", "s3cret"), FillOutcome::kFilled);
  EXPECT_EQ(f.Find("alice", "s3cret").validated_at, f.clock.Monotonic());
  EXPECT_EQ(f.cache.Counts().entries, 1);
}

TEST(CacheTest, AnyOtherVerdictRemovesTheEntryOfThatDigest) {
  for (const Verdict verdict : {Verdict::kRejected, Verdict::kNotCachable}) {
    CacheFixture f;
    f.Accept("alice", "s3cret");
    f.clock.Advance(absl::Minutes(1));
    f.End(f.Begin("alice", "s3cret"), verdict);
    EXPECT_NE(f.KindOf("alice", "s3cret"), Kind::kAccepted);
    EXPECT_EQ(f.cache.Counts().entries, 0);
  }
}

TEST(CacheTest, NothingOlderReplacesWhatWasValidatedLater) {
  for (const Verdict verdict : {Verdict::kAccepted, Verdict::kRejected, Verdict::kNotCachable}) {
    CacheFixture f;
    const auto slow = f.Begin("alice", "s3cret");
    f.clock.Advance(absl::Seconds(1));
    f.Accept("alice", "s3cret");
    EXPECT_EQ(f.End(slow, verdict), FillOutcome::kOutdated);
    EXPECT_EQ(f.Find("alice", "s3cret").validated_at, f.clock.Monotonic());
  }
}

TEST(CacheTest, AnotherAcceptedPasswordSupersedes) {
  CacheFixture f;
  f.Accept("alice", "old");
  f.clock.Advance(absl::Seconds(1));
  f.Accept("alice", "new");
  EXPECT_EQ(f.Miss("alice", "old"), MissReason::kDigest);
  EXPECT_EQ(f.KindOf("alice", "new"), Kind::kAccepted);
}

TEST(CacheTest, ALateAnswerForTheOldPasswordDoesNotSupersedeTheNewOne) {
  CacheFixture f;
  const auto slow = f.Begin("alice", "old");
  f.clock.Advance(absl::Seconds(1));
  f.Accept("alice", "new");
  EXPECT_EQ(f.End(slow, Verdict::kAccepted), FillOutcome::kOutdated);
  EXPECT_EQ(f.KindOf("alice", "new"), Kind::kAccepted);
  EXPECT_EQ(f.Miss("alice", "old"), MissReason::kDigest);
}

TEST(CacheTest, KeepsEightPasswordsWhereOneDoesNotSupersedeAnother) {
  CacheFixture f;
  f.policy.supersede = false;
  for (int i = 0; i < 8; ++i) {
    f.clock.Advance(absl::Seconds(1));
    f.Accept("alice", absl::StrCat("application ", i));
  }
  f.clock.Advance(absl::Seconds(1));
  EXPECT_EQ(f.KindOf("alice", "application 0"), Kind::kAccepted) << "used, so that 1 is the least recently used";
  f.clock.Advance(absl::Seconds(1));
  f.Accept("alice", "application 8");
  EXPECT_EQ(f.cache.Counts().entries, 8);
  EXPECT_EQ(f.Miss("alice", "application 1"), MissReason::kDigest);
  for (const int kept : {0, 2, 3, 4, 5, 6, 7, 8}) {
    EXPECT_EQ(f.KindOf("alice", absl::StrCat("application ", kept)), Kind::kAccepted) << kept;
  }
}

TEST(CacheTest, PastPasswordsLeaveRoomBeforeLiveOnesDo) {
  CacheFixture f;
  f.policy.supersede = false;
  for (int i = 0; i < 8; ++i) f.Accept("alice", absl::StrCat("application ", i));
  f.clock.Advance(f.policy.idle_limit - absl::Seconds(1));
  for (int i = 0; i < 7; ++i) f.Find("alice", absl::StrCat("application ", i));
  f.clock.Advance(absl::Seconds(1));
  f.Accept("alice", "application 8");
  for (int i = 0; i < 7; ++i) EXPECT_EQ(f.KindOf("alice", absl::StrCat("application ", i)), Kind::kAccepted);
  EXPECT_EQ(f.cache.Counts().entries, 8);
}

TEST(CacheTest, RefreshRenewsTheAgeAndNotTheIdleClock) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.clock.Advance(absl::Minutes(10));
  f.applied = Revision(3);
  const MonotonicTime refreshed_at = f.clock.Monotonic();
  EXPECT_EQ(f.End(f.Begin("alice", "s3cret"), Verdict::kAccepted, /*refresh=*/true), FillOutcome::kFilled);
  f.clock.Advance(absl::Minutes(4));
  const Finding finding = f.Find("alice", "s3cret");
  EXPECT_EQ(finding.validated_at, refreshed_at);
  EXPECT_EQ(finding.revision, Revision(3));
  f.End(f.Begin("alice", "s3cret"), Verdict::kAccepted, /*refresh=*/true);
  f.clock.Advance(absl::Minutes(10));
  f.End(f.Begin("alice", "s3cret"), Verdict::kAccepted, /*refresh=*/true);
  f.clock.Advance(absl::Minutes(5));
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kIdle);
}

TEST(CacheTest, RefreshDoesNothingIfTheEntryHasGone) {
  CacheFixture f;
  EXPECT_EQ(f.End(f.Begin("alice", "s3cret"), Verdict::kAccepted, /*refresh=*/true), FillOutcome::kNotKept);
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kAbsent);
  f.Accept("alice", "s3cret");
  f.clock.Advance(f.policy.idle_limit);
  EXPECT_EQ(f.End(f.Begin("alice", "s3cret"), Verdict::kAccepted, /*refresh=*/true), FillOutcome::kNotKept);
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kIdle);
}

TEST(CacheTest, RejectedRefreshRemovesTheEntry) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.clock.Advance(absl::Minutes(1));
  f.End(f.Begin("alice", "s3cret"), Verdict::kRejected, /*refresh=*/true);
  EXPECT_EQ(f.KindOf("alice", "s3cret"), Kind::kRejected);
}

TEST(CacheTest, AsksForARefreshOnceInTheLastTenthOfTheAge) {
  CacheFixture f;
  f.policy = {.age_limit = absl::Seconds(1000), .idle_limit = absl::Hours(1)};
  f.Accept("alice", "s3cret");
  for (int round = 0; round < 3; ++round) {
    int asked = 0;
    for (int second = 1; second < 1000; ++second) {
      f.clock.Advance(absl::Seconds(1));
      if (f.Find("alice", "s3cret").refresh_due) {
        ++asked;
        EXPECT_GE(second, 900);
      }
    }
    EXPECT_EQ(asked, 1);
    f.End(f.Begin("alice", "s3cret"), Verdict::kAccepted, /*refresh=*/true);
  }
}

TEST(CacheTest, RefreshesAreSpreadOverTheFirstQuarterOfTheLastTenth) {
  CacheFixture f;
  f.policy = {.age_limit = absl::Seconds(1000), .idle_limit = absl::Hours(1)};
  constexpr int kUsers = 1000;
  for (int i = 0; i < kUsers; ++i) f.Accept(absl::StrCat("user", i), "s3cret");
  f.clock.Advance(absl::Seconds(900));
  int by_step[10] = {};
  for (int& asked : by_step) {
    f.clock.Advance(absl::Seconds(2.5));
    for (int i = 0; i < kUsers; ++i) asked += f.Find(absl::StrCat("user", i), "s3cret").refresh_due ? 1 : 0;
  }
  int all = 0;
  for (const int asked : by_step) {
    EXPECT_GT(asked, kUsers / 20);
    EXPECT_LT(asked, kUsers / 5);
    all += asked;
  }
  EXPECT_EQ(all, kUsers);
}

TEST(CacheTest, AsksForNoRefreshWhereThereIsNone) {
  CacheFixture f;
  f.policy = {.age_limit = absl::Seconds(1000), .idle_limit = absl::Hours(1), .refresh_ahead = false};
  f.Accept("alice", "s3cret");
  f.clock.Advance(absl::Seconds(999.999));
  EXPECT_FALSE(f.Find("alice", "s3cret").refresh_due);
}

TEST(CacheTest, StaleEntriesAnswerForTheGraceAfterTheirAge) {
  CacheFixture f;
  f.policy = {.age_limit = absl::Minutes(10), .idle_limit = absl::Minutes(15), .stale_grace = absl::Minutes(20)};
  f.Accept("alice", "s3cret");
  EXPECT_EQ(f.FindStale("alice", "s3cret").kind, Kind::kMiss) << "not past its age yet";
  f.clock.Advance(absl::Minutes(10));
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kAge);
  f.Sweep();
  const Finding finding = f.FindStale("alice", "s3cret");
  EXPECT_EQ(finding.kind, Kind::kAccepted);
  EXPECT_EQ(finding.identity.username(), "alice");
  EXPECT_EQ(finding.expires_at, f.clock.Monotonic() + absl::Minutes(15));
  EXPECT_EQ(f.FindStale("alice", "s3cret", absl::Minutes(9)).reason, MissReason::kMaxAge);
  EXPECT_EQ(f.FindStale("alice", "guess").kind, Kind::kMiss);
  f.clock.Advance(absl::Minutes(14));
  EXPECT_EQ(f.FindStale("alice", "s3cret").expires_at, f.clock.Monotonic() + absl::Minutes(6)) << "it restarted idling";
  f.clock.Advance(absl::Minutes(6));
  EXPECT_EQ(f.FindStale("alice", "s3cret").kind, Kind::kMiss);
  f.Sweep();
  EXPECT_EQ(f.cache.Counts().entries, 0);
}

TEST(CacheTest, StaleIsNothingPastTheIdleLimitNorWithoutGrace) {
  CacheFixture f;
  f.policy = {.age_limit = absl::Minutes(10), .idle_limit = absl::Minutes(15), .stale_grace = absl::Minutes(20)};
  f.Accept("alice", "s3cret");
  f.clock.Advance(absl::Minutes(15));
  EXPECT_EQ(f.FindStale("alice", "s3cret").reason, MissReason::kIdle);

  f.policy.stale_grace = absl::ZeroDuration();
  f.Accept("bob", "s3cret");
  f.clock.Advance(absl::Minutes(10));
  EXPECT_EQ(f.FindStale("bob", "s3cret").kind, Kind::kMiss);
}

TEST(CacheTest, SweepDropsWhatNoFindCanAnswerFrom) {
  CacheFixture f;
  f.Accept("idle", "s3cret");
  f.Accept("used", "s3cret");
  f.clock.Advance(absl::Minutes(10));
  f.Find("used", "s3cret");
  f.clock.Advance(absl::Minutes(5));
  f.Sweep();
  EXPECT_EQ(f.cache.Counts().entries, 1);
  EXPECT_EQ(f.Miss("idle", "s3cret"), MissReason::kAbsent);
  EXPECT_EQ(f.KindOf("used", "s3cret"), Kind::kAccepted);
}

TEST(CacheTest, SweepDropsRealmsThatAreGone) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.Reject("alice", "guess");
  f.AcceptAs("al", "alice", "s3cret");
  for (int i = 0; i < f.cache.buckets(); ++i) f.cache.Sweep(i, {});
  EXPECT_EQ(f.cache.Counts().entries, 0);
  EXPECT_EQ(f.cache.Counts().negative_entries, 0);
  EXPECT_EQ(f.CanonicalName("al"), "");
}

TEST(CacheTest, ATighterPolicyCountsAtOnce) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.Reject("alice", "guess");
  f.clock.Advance(absl::Seconds(20));
  f.policy.age_limit = absl::Seconds(20);
  f.policy.negative_longest = absl::Seconds(20);
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kAge);
  EXPECT_EQ(f.Miss("alice", "guess"), MissReason::kAbsent);
}

}  // namespace
}  // namespace credcache
