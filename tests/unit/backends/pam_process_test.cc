#include "backends/pam_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "absl/strings/numbers.h"
#include "backends/pam_fake_helper.h"

namespace credcache {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(20);
constexpr absl::Duration kShort = absl::Milliseconds(100);

class PamProcessTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<PamProcess>> Start(const std::vector<std::string>& command,
                                                    absl::Duration patience = kLong) {
    return PamProcess::Start(command, orphans_, clock_, clock_.Monotonic() + patience);
  }
  absl::StatusOr<PamAnswer> Ask(PamProcess& process, absl::string_view name, absl::Duration patience = kLong) {
    return process.Ask(name, SecretView("s3cret"), clock_.Monotonic() + patience);
  }
  // What comes of asking a new one for `name`.
  absl::Status Failure(absl::string_view name, absl::Duration patience = kLong) {
    auto process = Start(FakeHelper(kReadyHelper));
    EXPECT_TRUE(process.ok()) << process.status();
    absl::Status failure = Ask(**process, name, patience).status();
    EXPECT_FALSE((*process)->IsIdle()) << "it has ended";
    return failure;
  }

  SystemClock clock_;
  PamOrphans orphans_;
};

TEST_F(PamProcessTest, AnswersOneQuestionAfterTheOther) {
  auto process = Start(FakeHelper(kReadyHelper));
  ASSERT_TRUE(process.ok()) << process.status();
  for (const char* name : {"alice", "bob"}) {
    EXPECT_TRUE((*process)->IsIdle());
    const auto answer = Ask(**process, name);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->user, name);
  }
}

TEST_F(PamProcessTest, SaysHowAHelperCameToHarm) {
  EXPECT_EQ(Failure("crash"), absl::UnavailableError("the helper was killed by signal 6 (Aborted)"));
  EXPECT_EQ(Failure("exit"), absl::UnavailableError("the helper exited with status 0"));
  EXPECT_EQ(Failure("half"), absl::UnavailableError("the helper exited with status 3"));
  EXPECT_EQ(Failure("hang", kShort), absl::DeadlineExceededError("the helper did not answer in time, and was killed"));
  for (const char* name : {"garbage", "another-number"}) {
    EXPECT_EQ(Failure(name), absl::UnavailableError("what came from the helper is no answer; it was killed"));
  }
}

TEST_F(PamProcessTest, AHelperThatDoesNotComeSoFarIsNone) {
  EXPECT_EQ(Start(FakeHelper(kCrashingHelper)).status(),
            absl::UnavailableError("the helper was killed by signal 6 (Aborted)"));
  EXPECT_TRUE(absl::IsDeadlineExceeded(Start(FakeHelper(kSilentHelper), kShort).status()));
  EXPECT_EQ(Start({"/nowhere/helper"}).status(),
            absl::UnavailableError("no helper process can be started: No such file or directory"));
  EXPECT_EQ(Start({"/bin/true"}).status(), absl::UnavailableError("the helper exited with status 0"));
}

TEST_F(PamProcessTest, WhatEndsOrTalksUnaskedIsNotIdle) {
  auto talking = Start(FakeHelper(kTalkingHelper));
  ASSERT_TRUE(talking.ok());
  ASSERT_TRUE(Ask(**talking, "alice").ok());
  // Until what it says next is here.
  while ((*talking)->IsIdle()) {
  }
  EXPECT_EQ(Ask(**talking, "bob").status(),
            absl::UnavailableError("what came from the helper is no answer; it was killed"));

  auto process = Start(FakeHelper(kReadyHelper));
  ASSERT_TRUE(process.ok());
  const auto answer = Ask(**process, "alice");
  ASSERT_TRUE(answer.ok());
  int number = 0;
  ASSERT_TRUE(absl::SimpleAtoi(answer->groups[0], &number));
  kill(number, SIGKILL);
  while ((*process)->IsIdle()) {
  }
  const auto unsent = Ask(**process, "bob");
  EXPECT_TRUE(absl::IsAborted(unsent.status())) << unsent.status();
  EXPECT_THAT(std::string(unsent.status().message()), HasSubstr("was killed by signal 9"));
}

TEST_F(PamProcessTest, EndsWithItsObject) {
  auto process = Start(FakeHelper(kReadyHelper));
  ASSERT_TRUE(process.ok());
  const auto answer = Ask(**process, "alice");
  ASSERT_TRUE(answer.ok());
  int number = 0;
  ASSERT_TRUE(absl::SimpleAtoi(answer->groups[0], &number));
  EXPECT_EQ(kill(number, 0), 0);
  EXPECT_EQ((*process)->End(), "exited with status 0") << "one that is idle, by itself";
  EXPECT_EQ(kill(number, 0), -1) << "and nothing of it is left";
}

}  // namespace
}  // namespace credcache
