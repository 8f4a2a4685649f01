#include "validator/distinct_counter.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/fake_clock.h"

namespace credcache {
namespace {

class DistinctCounterTest : public testing::Test {
 protected:
  void Add(uint64_t key, uint32_t member) { counter_.Add(key, member, limit_, clock_.Monotonic()); }
  absl::Duration FullFor(uint64_t key) { return counter_.FullFor(key, limit_, clock_.Monotonic()); }
  bool Full(uint64_t key) { return FullFor(key) > absl::ZeroDuration(); }

  FakeClock clock_;
  DistinctLimit limit_ = {.limit = 3, .window = absl::Minutes(10)};
  DistinctCounter<8> counter_{4096, clock_.Monotonic()};
};

TEST_F(DistinctCounterTest, IsFullAtTheLimitOfDifferentMembers) {
  Add(1, 100);
  Add(1, 101);
  EXPECT_FALSE(Full(1));
  Add(1, 102);
  EXPECT_TRUE(Full(1));
  EXPECT_FALSE(Full(2));
}

TEST_F(DistinctCounterTest, TheSameAgainCountsAsNothing) {
  for (int i = 0; i < 100; ++i) Add(1, 100);
  Add(1, 101);
  EXPECT_FALSE(Full(1));
}

TEST_F(DistinctCounterTest, EachCountsForItsWindowFromWhenItWasFirstSeen) {
  Add(1, 100);
  clock_.Advance(absl::Minutes(4));
  Add(1, 101);
  clock_.Advance(absl::Minutes(4));
  Add(1, 102);
  Add(1, 100);  // no news
  EXPECT_EQ(FullFor(1), absl::Minutes(2));
  clock_.Advance(absl::Minutes(2));
  EXPECT_FALSE(Full(1));
  Add(1, 103);
  EXPECT_EQ(FullFor(1), absl::Minutes(4));
}

TEST_F(DistinctCounterTest, SaysWhenItIsBelowTheLimitAgainWhereMoreCame) {
  for (uint32_t member = 0; member < 8; ++member) {
    Add(1, member);
    clock_.Advance(absl::Minutes(1));
  }
  // Two are left when the sixth goes, 15 minutes after the start.
  EXPECT_EQ(FullFor(1), absl::Minutes(7));
}

TEST_F(DistinctCounterTest, NoLimitIsNeverFull) {
  limit_.limit = 0;
  for (uint32_t member = 0; member < 100; ++member) Add(1, member);
  EXPECT_FALSE(Full(1));
}

TEST_F(DistinctCounterTest, ASprayOfKeysForgetsThoseWithTheFewestMembersFirst) {
  for (uint32_t member = 0; member < 3; ++member) Add(7, member);
  for (uint64_t key = 1'000; key < 101'000; ++key) Add(key * 0x9e3779b97f4a7c15, 1);
  EXPECT_TRUE(Full(7));
}

TEST_F(DistinctCounterTest, ManyThreadsAgree) {
  std::vector<std::thread> threads;
  for (uint32_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (uint64_t key = 1; key <= 500; ++key) {
        Add(key, thread);
        Full(key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint64_t key = 1; key <= 500; ++key) EXPECT_TRUE(Full(key)) << key;
}

}  // namespace
}  // namespace credcache
