#include "backends/pam_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "backends/ask.h"
#include "backends/pam_fake_helper.h"
#include "backends/recording_reporter.h"
#include "base/fake_clock.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PamBackendTest : public ::testing::Test {
 protected:
  void Build(const std::string& kind = kReadyHelper, absl::Duration timeout = absl::Seconds(20)) {
    PamBackendOptions options = {
        .service = "test", .realm = "corp.example", .workers = 1, .timeout = timeout, .program = FakeHelper(kind)};
    backend_ = std::make_unique<PamBackend>(std::move(options), clock_, randomness_, reporter_);
  }
  absl::StatusOr<Verdict> Validate(absl::string_view name, absl::string_view password = "s3cret") {
    return ValidateUntil(MonotonicTime::InfiniteFuture(), name, password);
  }
  absl::StatusOr<Verdict> ValidateUntil(MonotonicTime deadline, absl::string_view name,
                                        absl::string_view password = "s3cret") {
    const Username username = *Username::Normalize(name, CaseRule::kFold);
    return AskAndWait(*backend_, {.username = username, .password = SecretView(password), .deadline = deadline});
  }
  // The number of the process that answers.
  std::string Helper() {
    const auto verdict = Validate("alice");
    EXPECT_TRUE(verdict.ok()) << verdict.status();
    return verdict.ok() ? verdict->identity.details().groups.at(0) : "";
  }

  SystemClock clock_;
  SystemRandomness randomness_;
  RecordingReporter reporter_;
  std::unique_ptr<PamBackend> backend_;
};

TEST_F(PamBackendTest, ResolvesEveryNameToItself) {
  Build();
  const Username alice = *Username::Normalize("alice", CaseRule::kFold);
  std::string name;
  backend_->Resolve({.name = alice}, [&](absl::StatusOr<std::optional<Account>> account) {
    name = std::string((*account)->name.view());
  });
  EXPECT_EQ(name, "alice");
}

TEST_F(PamBackendTest, OneHelperAnswersAllOfAWorkersQuestions) {
  Build();
  const std::string helper = Helper();
  EXPECT_EQ(Helper(), helper);
  EXPECT_THAT(reporter_.Take(), IsEmpty());
}

TEST_F(PamBackendTest, WhatModulesWouldTakeForSomethingElseIsNotAsked) {
  Build(kCrashingHelper);
  for (const char* name : {"../alice", "alice/", "alice:x"}) {
    EXPECT_EQ(Validate(name)->decision, Decision::kUnknownUser) << name;
  }
  for (const std::string& password : {std::string(), std::string("s3cret\0x", 8), std::string(512, 'x')}) {
    EXPECT_EQ(Validate("alice", password)->decision, Decision::kWrongPassword);
  }
  EXPECT_THAT(reporter_.Take(), IsEmpty());
}

TEST_F(PamBackendTest, AHelperThatComesToHarmCostsOneLogOn) {
  Build();
  std::string helper = Helper();
  for (const char* name : {"crash", "exit", "garbage", "another-number", "half"}) {
    const auto verdict = Validate(name);
    EXPECT_TRUE(absl::IsUnavailable(verdict.status())) << name;
    EXPECT_TRUE(MayHaveRejected(verdict.status())) << name;
    EXPECT_TRUE(BlamesBackend(verdict.status())) << name;
    const std::string next = Helper();
    EXPECT_NE(next, helper) << name;
    helper = next;
    EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("pam_helper corp.example: PAM service test: ")));
  }
}

TEST_F(PamBackendTest, AHelperThatHangsIsKilledWithTheTimeout) {
  Build(kReadyHelper, absl::Milliseconds(200));
  EXPECT_EQ(Validate("hang").status().message(), "the helper did not answer in time, and was killed");
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("did not answer in time")));
}

TEST_F(PamBackendTest, WhoHasNoTimeBlamesNobody) {
  Build();
  Helper();
  const auto verdict = ValidateUntil(clock_.Monotonic() + absl::Milliseconds(50), "hang");
  EXPECT_TRUE(absl::IsUnavailable(verdict.status()));
  EXPECT_TRUE(MayHaveRejected(verdict.status()));
  EXPECT_FALSE(BlamesBackend(verdict.status()));
  EXPECT_THAT(reporter_.Take(), IsEmpty());
}

TEST_F(PamBackendTest, WithoutAHelperNobodyCanHaveBeenRejected) {
  Build(kCrashingHelper);
  const auto verdict = Validate("alice");
  EXPECT_TRUE(absl::IsUnavailable(verdict.status()));
  EXPECT_FALSE(MayHaveRejected(verdict.status()));
  EXPECT_TRUE(BlamesBackend(verdict.status()));
}

TEST(PamStateTest, HelpersThatCrashOneAfterTheOtherAreStartedAfterLongerAndLongerPauses) {
  FakeClock clock;
  SystemRandomness randomness;
  RecordingReporter reporter;
  const PamBackendOptions options = {.service = "test", .realm = "corp.example"};
  PamState state(options, clock, randomness, reporter);
  const absl::Status crash = absl::UnavailableError("the helper crashed");
  for (int i = 0; i < 3; ++i) {
    state.HelperFailed(crash);
    EXPECT_TRUE(state.MayStart().ok());
  }
  for (const absl::Duration pause : {absl::Milliseconds(100), absl::Milliseconds(200), absl::Milliseconds(400)}) {
    state.HelperFailed(crash);
    clock.Advance(pause - absl::Milliseconds(1));
    EXPECT_TRUE(absl::IsUnavailable(state.MayStart()));
    clock.Advance(absl::Milliseconds(1));
    EXPECT_TRUE(state.MayStart().ok());
  }
  for (int i = 0; i < 100; ++i) state.HelperFailed(crash);
  clock.Advance(absl::Seconds(10) - absl::Milliseconds(1));
  EXPECT_FALSE(state.MayStart().ok());
  clock.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(state.MayStart().ok());
  state.HelperAnswered();
  state.HelperFailed(crash);
  EXPECT_TRUE(state.MayStart().ok());
}

}  // namespace
}  // namespace credcache
