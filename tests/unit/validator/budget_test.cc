#include "validator/budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/fake_clock.h"
#include "base/random.h"
#include "validator/fake_validator.h"

namespace credcache {
namespace {

class BudgetTest : public testing::Test {
 protected:
  using Claim = Budget::Claim;

  Budget::Charged Charge(Claim claim = Claim::kTrusted, absl::string_view account = "alice") {
    std::optional<Budget::Charged> answer;
    budget_.Charge(kRealm, Name(account), policy_, claim, [&](const Budget::Charged& charged) { answer = charged; });
    return answer.value();
  }
  // One attempt that the directory rejects; false: it was not to be had.
  bool Reject(Claim claim = Claim::kTrusted) {
    const Budget::Charged charged = Charge(claim);
    if (charged.attempt.has_value()) budget_.Rejected(*charged.attempt, policy_);
    return charged.attempt.has_value();
  }
  bool MayConfirm() { return budget_.ConfirmableIn(kRealm, Name("alice"), policy_) == absl::ZeroDuration(); }

  static constexpr RealmId kRealm{0};
  FakeClock clock_;
  SystemRandomness randomness_;
  BudgetPolicy policy_ = {.rejections = 4, .window = absl::Minutes(30)};
  Budget budget_{1024, clock_, randomness_};
};

TEST_F(BudgetTest, IsSpentByRejectionsAndOfOneAccountAlone) {
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Reject());
  const Budget::Charged charged = Charge();
  EXPECT_FALSE(charged.attempt.has_value());
  EXPECT_EQ(charged.retry_after, absl::Minutes(30));
  EXPECT_TRUE(Charge(Claim::kTrusted, "bob").attempt.has_value());
}

TEST_F(BudgetTest, TheWindowStartsAnewAtEachRejection) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(Reject());
    clock_.Advance(absl::Minutes(20));
  }
  EXPECT_FALSE(Reject());
  EXPECT_EQ(Charge().retry_after, absl::Minutes(10));
  clock_.Advance(absl::Minutes(10));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Reject());
  EXPECT_FALSE(Reject());
}

TEST_F(BudgetTest, WhatIsUnderWayIsChargedAlreadyAndTheNextWaitForIt) {
  std::vector<Budget::Charged> under_way;
  for (int i = 0; i < 4; ++i) under_way.push_back(Charge());
  std::vector<std::optional<Budget::Charged>> next(3);
  for (auto& one : next) {
    budget_.Charge(kRealm, Name("alice"), policy_, Claim::kTrusted,
                   [&one](const Budget::Charged& charged) { one = charged; });
  }
  EXPECT_FALSE(next[0].has_value());
  EXPECT_TRUE(Charge(Claim::kTrusted, "bob").attempt.has_value()) << "of another account";
  budget_.GiveBack(*under_way[0].attempt);
  ASSERT_TRUE(next[0].has_value());
  EXPECT_TRUE(next[0]->attempt.has_value());
  EXPECT_FALSE(next[1].has_value());
  budget_.Accepted(*under_way[1].attempt);
  EXPECT_TRUE(next[1]->attempt.has_value());
  // Three rejections and one under way: nothing is left, and nothing to wait for, once that has ended too.
  for (const int i : {2, 3}) budget_.Rejected(*under_way[static_cast<size_t>(i)].attempt, policy_);
  budget_.Rejected(*next[0]->attempt, policy_);
  EXPECT_FALSE(next[2].has_value());
  budget_.Rejected(*next[1]->attempt, policy_);
  ASSERT_TRUE(next[2].has_value());
  EXPECT_FALSE(next[2]->attempt.has_value());
  EXPECT_EQ(next[2]->retry_after, absl::Minutes(30));
}

TEST_F(BudgetTest, AnAcceptanceForgivesWhatCameBeforeIt) {
  for (int i = 0; i < 3; ++i) Reject();
  budget_.Accepted(*Charge().attempt);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Reject());
  EXPECT_FALSE(Reject());
}

TEST_F(BudgetTest, AnAcceptanceDoesNotForgiveWhatMayHaveComeAfterIt) {
  const Budget::Charged right = Charge();
  Reject();  // the directory may have counted this one after it accepted the other
  budget_.Accepted(*right.attempt);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Reject());
  EXPECT_FALSE(Reject());
}

TEST_F(BudgetTest, TheLastAttemptIsForThoseLikelyToBeRight) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Reject(Claim::kStranger));
  EXPECT_FALSE(Reject(Claim::kStranger));
  EXPECT_TRUE(Reject(Claim::kTrusted));
}

TEST_F(BudgetTest, WhereThereAreFewAttemptsNoneIsKeptBack) {
  policy_.rejections = 2;
  EXPECT_TRUE(Reject(Claim::kStranger));
  EXPECT_TRUE(Reject(Claim::kStranger));
  EXPECT_FALSE(Reject(Claim::kTrusted));
}

TEST_F(BudgetTest, WhatIsKnownToBeWrongIsNotAskedAgainOnceOneAttemptIsLeft) {
  policy_.rejections = 2;
  EXPECT_TRUE(MayConfirm());
  Reject();
  EXPECT_FALSE(MayConfirm());
  EXPECT_EQ(budget_.ConfirmableIn(kRealm, Name("alice"), policy_), absl::Minutes(30));
  clock_.Advance(absl::Minutes(30));
  EXPECT_TRUE(MayConfirm());
}

TEST_F(BudgetTest, AndLeavesOneToStrangersBesideTheOneThatIsKeptBack) {
  Reject();
  EXPECT_TRUE(MayConfirm());
  Reject();
  EXPECT_FALSE(MayConfirm());
  EXPECT_TRUE(Reject(Claim::kStranger));
  EXPECT_FALSE(Reject(Claim::kStranger));
}

TEST_F(BudgetTest, ADryRunIsNeverRefusedAndStillCounts) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Reject(Claim::kDryRun));
  EXPECT_FALSE(Reject());
  EXPECT_TRUE(Charge(Claim::kDryRun).over);
  EXPECT_FALSE(Charge(Claim::kDryRun, "bob").over);
}

TEST_F(BudgetTest, ASprayOfNamesForgetsNoSpentBudget) {
  for (int i = 0; i < 4; ++i) Reject();
  for (int i = 0; i < 50'000; ++i) {
    const Budget::Charged charged = Charge(Claim::kStranger, absl::StrCat("made-up-", i));
    if (charged.attempt.has_value()) budget_.Rejected(*charged.attempt, policy_);
  }
  EXPECT_FALSE(Reject());
}

TEST_F(BudgetTest, ALongQueueOfThoseAnsweredAtOnceMakesNoDeepStack) {
  std::vector<Budget::Charged> under_way;
  for (int i = 0; i < 4; ++i) under_way.push_back(Charge());
  int answered = 0;
  for (int i = 0; i < 16'000; ++i) {
    budget_.Charge(kRealm, Name("alice"), policy_, Claim::kTrusted, [&](const Budget::Charged& charged) {
      ++answered;
      budget_.GiveBack(*charged.attempt);
    });
  }
  budget_.GiveBack(*under_way[0].attempt);
  EXPECT_EQ(answered, 16'000);
}

TEST_F(BudgetTest, ManyThreadsGetNoMoreThanThereIsAndAreAllAnswered) {
  std::atomic<int> charged{0};
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        budget_.Charge(kRealm, Name("alice"), policy_, Claim::kTrusted, [&](const Budget::Charged& charge) {
          ++answered;
          if (!charge.attempt.has_value()) return;
          ++charged;
          budget_.Rejected(*charge.attempt, policy_);
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(charged, 4);
  EXPECT_EQ(answered, 8000);
}

}  // namespace
}  // namespace credcache
