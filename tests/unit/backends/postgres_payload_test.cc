#include "backends/postgres_payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

PostgresChanges Changes(const std::vector<std::string>& payloads, CaseRule rule = CaseRule::kFold) {
  return ChangesIn(payloads, rule);
}

TEST(PostgresPayloadTest, NamesAreNormalisedAndToldOnce) {
  const PostgresChanges changes = Changes({"bob", "Alice", "alice", "bob"});
  EXPECT_THAT(changes.usernames, ElementsAre("alice", "bob"));
  EXPECT_FALSE(changes.everything);
  EXPECT_EQ(changes.junk, 0U);
  EXPECT_THAT(Changes({"Alice", "alice"}, CaseRule::kSensitive).usernames, ElementsAre("Alice", "alice"));
}

TEST(PostgresPayloadTest, AStarAndNothingMeanEverybody) {
  for (const char* payload : {"*", ""}) {
    const PostgresChanges changes = Changes({payload, "alice"});
    EXPECT_TRUE(changes.everything);
    EXPECT_EQ(changes.junk, 0U);
    EXPECT_THAT(changes.usernames, ElementsAre("alice"));
  }
}

TEST(PostgresPayloadTest, RubbishMeansEverybodyAndIsCounted) {
  const PostgresChanges changes = Changes({std::string(257, 'x'), "\xff", " alice", "ali\x01"});
  EXPECT_TRUE(changes.everything);
  EXPECT_EQ(changes.junk, 4U);
  EXPECT_EQ(changes.why, "is longer than 256 bytes");
  EXPECT_THAT(changes.usernames, IsEmpty());
}

TEST(PostgresPayloadTest, TooManyToNameAreEverybody) {
  std::vector<std::string> payloads;
  for (int i = 0; i < 10'001; ++i) payloads.push_back("user" + std::to_string(i));
  const PostgresChanges changes = Changes(payloads);
  EXPECT_TRUE(changes.everything);
  EXPECT_THAT(changes.usernames, IsEmpty());
  EXPECT_EQ(changes.junk, 0U);
}

MonotonicTime At(int64_t milliseconds) { return MonotonicTime() + absl::Milliseconds(milliseconds); }

TEST(PacerTest, TheFirstIsAtOnceAndAFloodIsOnceAnInterval) {
  Pacer pacer(absl::Seconds(1));
  EXPECT_EQ(pacer.due(), MonotonicTime::InfiniteFuture());
  EXPECT_FALSE(pacer.Take(At(5000)));
  pacer.Ask();
  EXPECT_TRUE(pacer.Take(At(5000)));
  EXPECT_FALSE(pacer.Take(At(5000)));
  int taken = 0;
  for (int64_t now = 5000; now < 8000; now += 10) {
    pacer.Ask();
    if (pacer.Take(At(now))) ++taken;
  }
  EXPECT_EQ(taken, 2);
  // What was asked for last is not forgotten.
  EXPECT_EQ(pacer.due(), At(8000));
  EXPECT_TRUE(pacer.Take(At(8000)));
  EXPECT_EQ(pacer.due(), MonotonicTime::InfiniteFuture());
}

TEST(PacerTest, WhatHappenedUnaskedCountsToo) {
  Pacer pacer(absl::Seconds(1));
  pacer.Ask();
  pacer.Done(At(500));
  EXPECT_EQ(pacer.due(), MonotonicTime::InfiniteFuture());
  EXPECT_EQ(pacer.earliest(), At(1500));
  pacer.Ask();
  EXPECT_FALSE(pacer.Take(At(1499)));
  EXPECT_TRUE(pacer.Take(At(1500)));
}

}  // namespace
}  // namespace credcache
