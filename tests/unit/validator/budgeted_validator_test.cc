#include "validator/budgeted_validator.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/recording_reporter.h"
#include "base/fake_clock.h"
#include "base/random.h"
#include "validator/fake_validator.h"

namespace credcache {
namespace {

class BudgetedValidatorTest : public testing::Test {
 protected:
  BudgetedValidatorTest() { directory_->AddUser("bob", "hunter2", {"robert"}); }

  absl::StatusOr<Verdict> Ask(absl::string_view name, absl::string_view password) {
    absl::StatusOr<Verdict> answer = absl::UnknownError("not answered");
    BudgetedValidator validator({.realm = "corp", .policy = policy_, .dry_run = dry_run_},
                                {.budget = budget_, .metrics = metrics_.ForRealm("corp"), .reporter = reporter_},
                                directory_);
    validator.Validate({.username = Name(name), .password = SecretView(password), .trusted = true},
                       [&](absl::StatusOr<Verdict> verdict) { answer = std::move(verdict); });
    return answer;
  }
  Decision Decided(absl::string_view name, absl::string_view password) { return Ask(name, password)->decision; }

  FakeClock clock_;
  SystemRandomness randomness_;
  RecordingReporter reporter_;
  Metrics metrics_{{}};
  Budget budget_{1024, clock_, randomness_};
  BudgetPolicy policy_ = {.rejections = 2, .window = absl::Minutes(30)};
  bool dry_run_ = false;
  std::shared_ptr<FakeValidator> directory_ = std::make_shared<FakeValidator>();
};

TEST_F(BudgetedValidatorTest, ThrottlesBeforeTheDirectoryIsAskedOnceTooOften) {
  EXPECT_EQ(Decided("bob", "a"), Decision::kWrongPassword);
  EXPECT_EQ(Decided("bob", "b"), Decision::kWrongPassword);
  const absl::StatusOr<Verdict> third = Ask("bob", "hunter2");
  EXPECT_EQ(third->decision, Decision::kThrottled);
  EXPECT_EQ(third->throttle, ThrottleReason::kBudget);
  EXPECT_EQ(third->retry_after, absl::Minutes(30));
  EXPECT_EQ(directory_->validations(), 2);
}

TEST_F(BudgetedValidatorTest, AllNamesOfAnAccountHaveOneBudget) {
  EXPECT_EQ(Decided("bob", "a"), Decision::kWrongPassword);
  EXPECT_EQ(Decided("robert", "b"), Decision::kWrongPassword);
  EXPECT_EQ(Decided("bob", "hunter2"), Decision::kThrottled);
}

TEST_F(BudgetedValidatorTest, MadeUpNamesAreThrottledLikeRealOnes) {
  EXPECT_EQ(Decided("mallory", "a"), Decision::kUnknownUser);
  EXPECT_EQ(Decided("mallory", "b"), Decision::kUnknownUser);
  EXPECT_EQ(Decided("mallory", "c"), Decision::kThrottled);
}

TEST_F(BudgetedValidatorTest, AnErrorThatMayHaveBeenARejectionStaysCharged) {
  directory_->AnswerAlways(absl::UnavailableError("no answer in time"));
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(Ask("bob", "hunter2").ok());
  EXPECT_EQ(Decided("bob", "hunter2"), Decision::kThrottled);
}

TEST_F(BudgetedValidatorTest, OneThatCannotHaveBeenIsGivenBack) {
  for (const absl::Status& error :
       {WithoutRejection(absl::UnavailableError("no connection")), absl::ResourceExhaustedError("too many wait")}) {
    directory_->AnswerAlways(error);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(Ask("bob", "hunter2").ok());
  }
  directory_->AnswerAlways(std::nullopt);
  EXPECT_EQ(Decided("bob", "hunter2"), Decision::kAccepted);
}

TEST_F(BudgetedValidatorTest, ARightPasswordOfADisabledAccountIsNoRejection) {
  directory_->AnswerAlways(Verdict{.decision = Decision::kAccountDisabled});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Decided("bob", "hunter2"), Decision::kAccountDisabled);
}

TEST_F(BudgetedValidatorTest, ADryRunAsksAndCountsWhatItWouldHaveThrottled) {
  dry_run_ = true;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Decided("bob", absl::StrCat("guess", i)), Decision::kWrongPassword);
  const RealmCounts counts = metrics_.ForRealm("corp").Counts();
  EXPECT_EQ(counts.would_throttle[static_cast<size_t>(ThrottleReason::kBudget)], 3u);
  EXPECT_EQ(counts.Throttled(), 0u);
}

TEST_F(BudgetedValidatorTest, WithoutABudgetNothingIsCounted) {
  policy_.rejections = 0;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Decided("bob", absl::StrCat("guess", i)), Decision::kWrongPassword);
}

}  // namespace
}  // namespace credcache
