// The life of a negative entry.
#include <gtest/gtest.h>

#include "cache/cache.h"
#include "cache/cache_fixture.h"

namespace credcache {
namespace {

using Kind = Finding::Kind;
using Verdict = FillRequest::Verdict;

// How long a rejection that has just come counts.
absl::Duration Life(CacheFixture& f) { return f.Find("alice", "guess").expires_at - f.clock.Monotonic(); }

TEST(CacheNegativeTest, AnswersUntilItsLifeIsOver) {
  CacheFixture f;
  f.applied = Revision(5);
  EXPECT_EQ(f.Reject("alice", "guess"), FillOutcome::kFilled);
  const Finding finding = f.Find("alice", "guess");
  EXPECT_EQ(finding.kind, Kind::kRejected);
  EXPECT_EQ(finding.validated_at, f.clock.Monotonic());
  EXPECT_EQ(finding.expires_at, f.clock.Monotonic() + absl::Seconds(30));
  EXPECT_EQ(finding.revision, Revision(5));
  EXPECT_TRUE(finding.identity.empty());
  f.clock.Advance(absl::Seconds(30) - absl::Nanoseconds(1));
  EXPECT_EQ(f.KindOf("alice", "guess"), Kind::kRejected);
  f.clock.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(f.Miss("alice", "guess"), MissReason::kAbsent);
}

TEST(CacheNegativeTest, ItsLifeDoublesEachTimeItIsConfirmed) {
  CacheFixture f;
  f.policy.negative_longest = absl::Minutes(3);
  for (const int seconds : {30, 60, 120, 180, 180}) {
    f.Reject("alice", "guess");
    EXPECT_EQ(Life(f), absl::Seconds(seconds));
    f.clock.Advance(absl::Seconds(seconds));  // confirmed just when it has ended
  }
}

TEST(CacheNegativeTest, DoublesWhileItStillAnswersToo) {
  CacheFixture f;
  f.Reject("alice", "guess");
  f.clock.Advance(absl::Seconds(1));
  f.Reject("alice", "guess");
  EXPECT_EQ(Life(f), absl::Seconds(60));
}

TEST(CacheNegativeTest, ItsLifeIsRememberedForTheLongestOneMoreSweptOrNot) {
  for (const bool sweep : {false, true}) {
    CacheFixture f;
    f.policy.negative_longest = absl::Minutes(10);
    f.policy.negative_memory = absl::ZeroDuration();
    f.Reject("alice", "guess");
    f.clock.Advance(absl::Seconds(30) + absl::Minutes(10) - absl::Nanoseconds(1));
    if (sweep) f.Sweep();
    f.Reject("alice", "guess");
    EXPECT_EQ(Life(f), absl::Seconds(60));
    f.clock.Advance(absl::Seconds(60) + absl::Minutes(10));
    if (sweep) f.Sweep();
    EXPECT_EQ(f.cache.Counts().negative_entries, sweep ? 0 : 1);
    f.Reject("alice", "guess");
    EXPECT_EQ(Life(f), absl::Seconds(30));
  }
}

TEST(CacheNegativeTest, WhatNoLongerAnswersIsKnownToBeWrongForAsLongAsItMayNotBeAskedAgain) {
  CacheFixture f;
  f.policy.negative_longest = absl::Minutes(5);
  f.policy.negative_memory = absl::Minutes(30);
  f.Reject("alice", "guess");
  f.clock.Advance(absl::Seconds(31));
  EXPECT_EQ(f.Find("alice", "guess").known_wrong, Finding::Wrong::kLately);
  EXPECT_EQ(f.Find("alice", "guess", absl::Seconds(10)).known_wrong, Finding::Wrong::kTooLongAgo);
  EXPECT_EQ(f.Find("alice", "another").known_wrong, Finding::Wrong::kNo);
  f.clock.Advance(absl::Minutes(30));
  EXPECT_EQ(f.Find("alice", "guess").known_wrong, Finding::Wrong::kNo);
}

TEST(CacheNegativeTest, ZeroMeansNone) {
  CacheFixture f;
  f.policy.negative_longest = absl::ZeroDuration();
  EXPECT_EQ(f.Reject("alice", "guess"), FillOutcome::kNotKept);
  EXPECT_EQ(f.Miss("alice", "guess"), MissReason::kAbsent);
  f.Accept("alice", "s3cret");
  f.clock.Advance(absl::Seconds(1));
  EXPECT_EQ(f.Reject("alice", "s3cret"), FillOutcome::kNotKept);
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kAbsent) << "the entry goes nevertheless";
}

TEST(CacheNegativeTest, AcceptanceRemovesIt) {
  CacheFixture f;
  f.Reject("alice", "new");
  f.clock.Advance(absl::Seconds(1));
  f.Accept("alice", "new");
  EXPECT_EQ(f.KindOf("alice", "new"), Kind::kAccepted);
  EXPECT_EQ(f.cache.Counts().negative_entries, 0);
}

TEST(CacheNegativeTest, AnOlderAcceptanceDoesNot) {
  CacheFixture f;
  const auto slow = f.Begin("alice", "old");
  f.clock.Advance(absl::Seconds(1));
  f.Reject("alice", "old");
  EXPECT_EQ(f.End(slow, Verdict::kAccepted), FillOutcome::kOutdated);
  EXPECT_EQ(f.End(slow, Verdict::kRejected), FillOutcome::kOutdated);
  EXPECT_EQ(f.KindOf("alice", "old"), Kind::kRejected);
}

TEST(CacheNegativeTest, MaxAgeCountsHereToo) {
  CacheFixture f;
  f.Reject("alice", "guess");
  EXPECT_EQ(f.Miss("alice", "guess", absl::ZeroDuration()), MissReason::kMaxAge);
  f.clock.Advance(absl::Seconds(10));
  EXPECT_EQ(f.Miss("alice", "guess", absl::Seconds(9)), MissReason::kMaxAge);
  EXPECT_EQ(f.Find("alice", "guess", absl::Seconds(10)).kind, Kind::kRejected);
}

TEST(CacheNegativeTest, AVerdictThatIsNotCachableRemovesIt) {
  CacheFixture f;
  f.Reject("alice", "s3cret");
  f.clock.Advance(absl::Seconds(1));
  EXPECT_EQ(f.End(f.Begin("alice", "s3cret"), Verdict::kNotCachable), FillOutcome::kNotKept);
  EXPECT_EQ(f.Miss("alice", "s3cret"), MissReason::kAbsent) << "the password may have been right";
}

TEST(CacheNegativeTest, BesideALiveEntryItsEndShowsAsAnotherDigest) {
  CacheFixture f;
  f.Accept("alice", "s3cret");
  f.Reject("alice", "guess");
  f.clock.Advance(absl::Seconds(30));
  EXPECT_EQ(f.Miss("alice", "guess"), MissReason::kDigest);
}

}  // namespace
}  // namespace credcache
