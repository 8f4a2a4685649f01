#include "mail_day/truth.h"

#include <gtest/gtest.h>

namespace credcache::mail_day {
namespace {

constexpr int32_t kUser = 7;
constexpr Password kOld = {.number = 0};
constexpr Password kNew = {.number = 1};

// A change at 100 whose Invalidate was called at 110 and returned at 120.
class TruthTest : public testing::Test {
 protected:
  TruthTest() {
    truth_.PasswordChanged(kUser, 100);
    truth_.InvalidateReturned(kUser, 110, 120);
  }
  Judgement Accepted(Password password, Order received, Order answered) const {
    return truth_.Judge(kUser, password, received, answered, true);
  }
  Judgement Rejected(Password password, Order received, Order answered) const {
    return truth_.Judge(kUser, password, received, answered, false);
  }

  Truth truth_;
};

TEST_F(TruthTest, WhoNeverChangedHasOnePassword) {
  EXPECT_EQ(truth_.Judge(1, kOld, 5, 6, true), Judgement::kRight);
  EXPECT_EQ(truth_.Judge(1, kOld, 5, 6, false), Judgement::kWrong);
  EXPECT_EQ(truth_.Judge(1, kNew, 5, 6, true), Judgement::kWrong);
  EXPECT_EQ(truth_.Judge(1, kNew, 5, 6, false), Judgement::kRight);
}

TEST_F(TruthTest, StaleGuessedAndCommonPasswordsAreNeverRight) {
  for (const Password password :
       {Password{.number = -1}, Password{Password::Kind::kCommon, 0}, Password{Password::Kind::kGuess, 0}}) {
    EXPECT_EQ(Accepted(password, 5, 6), Judgement::kWrong);
    EXPECT_EQ(Rejected(password, 5, 6), Judgement::kRight);
  }
}

TEST_F(TruthTest, BeforeTheChangeOnlyTheOldPasswordIsRight) {
  EXPECT_EQ(Accepted(kOld, 98, 99), Judgement::kRight);
  EXPECT_EQ(Rejected(kOld, 98, 99), Judgement::kWrong);
  EXPECT_EQ(Accepted(kNew, 98, 99), Judgement::kWrong);
  EXPECT_EQ(Rejected(kNew, 98, 99), Judgement::kRight);
}

TEST_F(TruthTest, WhatIsUnderWayDuringTheChangeMayBeAnsweredEitherWay) {
  for (const Password password : {kOld, kNew}) {
    EXPECT_EQ(Accepted(password, 99, 101), Judgement::kRight);
    EXPECT_EQ(Rejected(password, 99, 101), Judgement::kRight);
  }
}

TEST_F(TruthTest, UntilInvalidateHasReturnedTheOldAnswerIsInTheStaleWindow) {
  EXPECT_EQ(Accepted(kOld, 101, 102), Judgement::kStaleWindow);
  EXPECT_EQ(Rejected(kNew, 101, 102), Judgement::kStaleWindow);
  EXPECT_EQ(Accepted(kOld, 119, 130), Judgement::kStaleWindow);
  EXPECT_EQ(Rejected(kOld, 101, 102), Judgement::kRight);
  EXPECT_EQ(Accepted(kNew, 101, 102), Judgement::kRight);
}

TEST_F(TruthTest, AfterInvalidateHasReturnedTheOldAnswerIsWrong) {
  EXPECT_EQ(Accepted(kOld, 121, 122), Judgement::kWrong);
  EXPECT_EQ(Rejected(kNew, 121, 122), Judgement::kWrong);
  EXPECT_EQ(Rejected(kOld, 121, 122), Judgement::kRight);
  EXPECT_EQ(Accepted(kNew, 121, 122), Judgement::kRight);
}

TEST_F(TruthTest, AnInvalidateFromBeforeTheChangeDoesNotCount) {
  Truth truth;
  truth.PasswordChanged(kUser, 100);
  truth.InvalidateReturned(kUser, 99, 105);
  EXPECT_EQ(truth.Judge(kUser, kOld, 200, 201, true), Judgement::kStaleWindow);
}

}  // namespace
}  // namespace credcache::mail_day
