#include "validator/breaker_validator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "backends/recording_reporter.h"
#include "base/fake_clock.h"
#include "cache/fake_randomness.h"
#include "validator/fake_validator.h"

namespace credcache {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BreakerValidatorTest : public testing::Test {
 protected:
  BreakerValidatorTest() {
    auto inner = std::make_unique<FakeValidator>();
    inner_ = inner.get();
    inner_->AddUser("alice", "secret");
    breaker_ = std::make_unique<BreakerValidator>(
        BreakerOptions{.backend = "corp/ldap", .policy = policy_},
        BreakerValidator::Shared{
            .metrics = metrics_, .clock = clock_, .randomness = randomness_, .reporter = reporter_},
        std::move(inner));
  }
  absl::Status Ask() {
    absl::Status status = absl::InternalError("not answered");
    breaker_->Validate({.username = Name("alice"), .password = SecretView("secret")},
                       [&status](const absl::StatusOr<Verdict>& verdict) { status = verdict.status(); });
    return status;
  }
  absl::Status Resolve() {
    absl::Status status = absl::InternalError("not answered");
    breaker_->Resolve({.name = Name("alice")}, [&status](const auto& account) { status = account.status(); });
    return status;
  }
  void Ask(int times) {
    for (int i = 0; i < times; ++i) Ask().IgnoreError();
  }
  void Fail(absl::Status error = absl::UnavailableError("no answer")) { inner_->AnswerAlways(std::move(error)); }
  void Recover() { inner_->AnswerAlways(std::nullopt); }
  void Open() {
    Fail();
    Ask(policy_.failures);
  }

  const CircuitPolicy policy_;
  FakeClock clock_;
  SeededRandomness randomness_{1};
  RecordingReporter reporter_;
  BackendMetrics metrics_;
  FakeValidator* inner_;
  std::unique_ptr<BreakerValidator> breaker_;
};

TEST_F(BreakerValidatorTest, AsksNobodyOnceEnoughQuestionsInARowHadNoAnswer) {
  Open();
  EXPECT_EQ(inner_->validations(), policy_.failures);
  EXPECT_EQ(metrics_.Circuit(), CircuitState::kOpen);
  EXPECT_TRUE(absl::IsUnavailable(Ask()));
  EXPECT_TRUE(absl::IsUnavailable(Resolve()));
  EXPECT_EQ(inner_->validations(), policy_.failures);
  EXPECT_EQ(inner_->resolves(), 0);
  EXPECT_EQ(metrics_.Requests(BackendResult::kRefused), 2U);
}

TEST_F(BreakerValidatorTest, TellsWhatWasLastWrongAndThatNothingWasCounted) {
  Open();
  const absl::Status refusal = Ask();
  EXPECT_THAT(std::string(refusal.message()), HasSubstr("no answer"));
  EXPECT_FALSE(MayHaveRejected(refusal));
}

TEST_F(BreakerValidatorTest, AnswerInBetweenKeepsItClosed) {
  Fail();
  Ask(policy_.failures - 1);
  Recover();
  Ask(1);
  Fail();
  Ask(policy_.failures - 1);
  EXPECT_EQ(metrics_.Circuit(), CircuitState::kClosed);
}

TEST_F(BreakerValidatorTest, RejectionIsAnAnswer) {
  inner_->AnswerAlways(Verdict{.decision = Decision::kWrongPassword});
  Ask(20);
  EXPECT_EQ(metrics_.Circuit(), CircuitState::kClosed);
}

// One user whose entry is broken must not take the directory from all the others.
TEST_F(BreakerValidatorTest, ErrorsOfOneAccountNeitherOpenNorCloseIt) {
  Fail(WithoutBlame(absl::UnavailableError("this entry is broken")));
  Ask(20);
  Fail(absl::ResourceExhaustedError("too many wait"));
  Ask(20);
  EXPECT_EQ(metrics_.Circuit(), CircuitState::kClosed);
  Fail();
  Ask(policy_.failures - 1);
  Fail(WithoutBlame(absl::UnavailableError("this entry is broken")));
  Ask(1);
  Fail();
  Ask(1);
  EXPECT_EQ(metrics_.Circuit(), CircuitState::kOpen);
}

TEST_F(BreakerValidatorTest, OneProbeAfterThePauseDecides) {
  Open();
  clock_.Advance(policy_.first_pause);
  Recover();
  inner_->Hold();
  const int before = inner_->validations();
  bool probed = false;
  breaker_->Validate({.username = Name("alice"), .password = SecretView("secret")},
                     [&probed](const auto& verdict) { probed = verdict.ok(); });
  EXPECT_EQ(metrics_.Circuit(), CircuitState::kHalfOpen);
  // All others are refused while it is under way.
  EXPECT_TRUE(absl::IsUnavailable(Ask()));
  EXPECT_EQ(inner_->validations(), before + 1);
  inner_->Release();
  EXPECT_TRUE(probed);
  EXPECT_EQ(metrics_.Circuit(), CircuitState::kClosed);
  EXPECT_TRUE(Ask().ok());
}

TEST_F(BreakerValidatorTest, ProbeMayBeAResolve) {
  Open();
  clock_.Advance(policy_.first_pause);
  EXPECT_TRUE(Resolve().ok());
  EXPECT_EQ(metrics_.Circuit(), CircuitState::kClosed);
}

TEST_F(BreakerValidatorTest, EachProbeThatFailsDoublesThePause) {
  Open();
  absl::Duration pause = policy_.first_pause;
  for (int i = 0; i < 10; ++i) {
    // Chance takes up to a half of it.
    const int before = inner_->validations();
    clock_.Advance(pause / 2 - absl::Milliseconds(1));
    Ask(1);
    EXPECT_EQ(inner_->validations(), before) << pause;
    clock_.Advance(pause / 2 + absl::Milliseconds(1));
    Ask(2);
    EXPECT_EQ(inner_->validations(), before + 1) << pause;
    pause = std::min(pause * 2, policy_.longest_pause);
  }
  // Once it has answered the next pause is the first one again.
  Recover();
  clock_.Advance(policy_.longest_pause);
  Ask(1);
  Open();
  clock_.Advance(policy_.first_pause);
  Recover();
  EXPECT_TRUE(Ask().ok());
}

TEST_F(BreakerValidatorTest, ProbeThatTellsNothingGivesItsPlaceToTheNext) {
  Open();
  clock_.Advance(policy_.first_pause);
  Fail(WithoutBlame(absl::UnavailableError("this entry is broken")));
  Ask(1);
  Recover();
  EXPECT_TRUE(Ask().ok());
}

// What began before it opened may end at any time after.
TEST_F(BreakerValidatorTest, LateFailuresDoNotLengthenThePause) {
  Fail();
  inner_->Hold();
  for (int i = 0; i < 3 * policy_.failures; ++i) {
    breaker_->Validate({.username = Name("alice"), .password = SecretView("secret")}, [](const auto&) {});
  }
  inner_->Release();
  clock_.Advance(policy_.first_pause);
  Recover();
  EXPECT_TRUE(Ask().ok());
}

TEST_F(BreakerValidatorTest, LateAnswerClosesIt) {
  inner_->Hold();
  breaker_->Validate({.username = Name("alice"), .password = SecretView("secret")}, [](const auto&) {});
  inner_->FailResolve(absl::UnavailableError("no answer"));
  for (int i = 0; i < policy_.failures; ++i) Resolve().IgnoreError();
  EXPECT_EQ(metrics_.Circuit(), CircuitState::kOpen);
  inner_->Release();
  EXPECT_EQ(metrics_.Circuit(), CircuitState::kClosed);
}

TEST_F(BreakerValidatorTest, ReportsOpeningAndClosingOnce) {
  Open();
  Ask(3);
  clock_.Advance(policy_.longest_pause);
  Ask(3);
  EXPECT_THAT(reporter_.Take(), ElementsAre(testing::StartsWith("circuit_open corp/ldap")));
  clock_.Advance(policy_.longest_pause);
  Recover();
  Ask(3);
  EXPECT_THAT(reporter_.Take(), ElementsAre("circuit_closed corp/ldap: answers again"));
  Ask(3);
  EXPECT_THAT(reporter_.Take(), IsEmpty());
}

}  // namespace
}  // namespace credcache
