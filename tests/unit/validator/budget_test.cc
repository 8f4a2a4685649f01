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
    return budget_.Charge(kRealm, Name(account), policy_, claim);
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

TEST_F(BudgetTest, WhatIsUnderWayIsChargedAlready) {
  std::vector<Budget::Charged> under_way;
  for (int i = 0; i < 4; ++i) under_way.push_back(Charge());
  EXPECT_FALSE(Charge().attempt.has_value());
  budget_.GiveBack(*under_way[0].attempt);
  EXPECT_TRUE(Charge().attempt.has_value());
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
}

TEST_F(BudgetTest, ASprayOfNamesForgetsNoSpentBudget) {
  for (int i = 0; i < 4; ++i) Reject();
  for (int i = 0; i < 50'000; ++i) {
    const Budget::Charged charged = Charge(Claim::kStranger, absl::StrCat("made-up-", i));
    if (charged.attempt.has_value()) budget_.Rejected(*charged.attempt, policy_);
  }
  EXPECT_FALSE(Reject());
}

TEST_F(BudgetTest, ManyThreadsGetNoMoreThanThereIs) {
  std::atomic<int> charged{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) charged += Reject() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(charged, 4);
}

}  // namespace
}  // namespace credcache
