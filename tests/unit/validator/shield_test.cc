// The shield, as the outermost of a realm's validators. The directory here locks nobody, and the budget is off.
#include "validator/shield.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "validator/protected_stack.h"

namespace credcache {
namespace {

class ShieldTest : public testing::Test {
 protected:
  ShieldTest() {
    options_.throttle = {.account = {.limit = 3, .window = absl::Hours(1)},
                         .known_address = {.limit = 5, .window = absl::Hours(1)},
                         .address = {.limit = 4, .window = absl::Hours(1)}};
    options_.budget.rejections = 0;
    directory_->AddUser("alice", "secret", {"alice@corp"});
    for (int user = 0; user < 20; ++user) directory_->AddUser(absl::StrCat("user", user), "pw");
    Build();
  }
  void Build() { stack_ = std::make_unique<ProtectedStack>(options_, clock_, directory_); }

  Decision Ask(absl::string_view name, absl::string_view password, absl::string_view address) {
    return stack_->Decided(name, password, address);
  }
  // A wrong password that was not tried before.
  Decision Guess(absl::string_view name, absl::string_view address) {
    return Ask(name, absl::StrCat("guess", ++guesses_), address);
  }

  static constexpr auto kAccepted = Decision::kAccepted;
  static constexpr auto kWrong = Decision::kWrongPassword;
  static constexpr auto kUnknown = Decision::kUnknownUser;
  static constexpr auto kThrottled = Decision::kThrottled;

  FakeClock clock_;
  ProtectedStack::Options options_;
  std::shared_ptr<FakeValidator> directory_ = std::make_shared<FakeValidator>();
  std::unique_ptr<ProtectedStack> stack_;
  int guesses_ = 0;
};

TEST_F(ShieldTest, OverTheAccountsLimitStrangersAreThrottledBeforeTheLookUp) {
  EXPECT_EQ(Ask("alice", "secret", "192.0.2.1"), kAccepted);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Guess("alice", "198.51.100.1"), kWrong);
  const int validations = directory_->validations();
  EXPECT_EQ(Guess("alice", "198.51.100.2"), kThrottled);
  EXPECT_EQ(Ask("alice", "guess1", "198.51.100.1"), kThrottled) << "known to be wrong";
  EXPECT_EQ(Ask("alice", "secret", "198.51.100.1"), kThrottled) << "a right guess must not be told";
  EXPECT_EQ(Ask("alice", "secret", ""), kThrottled);
  EXPECT_EQ(directory_->validations(), validations);
  EXPECT_EQ(Ask("alice", "secret", "192.0.2.1"), kAccepted) << "the owner, at a known address";
}

TEST_F(ShieldTest, SaysWhyAndWhenToComeAgain) {
  for (int i = 0; i < 3; ++i) Guess("alice", "198.51.100.1");
  clock_.Advance(absl::Minutes(20));
  const Verdict verdict = stack_->Ask("alice", "secret", "198.51.100.2");
  EXPECT_EQ(verdict.throttle, ThrottleReason::kAccount);
  EXPECT_EQ(verdict.retry_after, absl::Minutes(40));
  EXPECT_EQ(verdict.source, Source::kNone);
  clock_.Advance(absl::Minutes(40));
  EXPECT_EQ(Ask("alice", "secret", "198.51.100.2"), kAccepted);
}

TEST_F(ShieldTest, TheSameWrongPasswordCountsOnceFromTheCacheToo) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_NE(Ask("alice", "old", "198.51.100.1"), kThrottled);
    clock_.Advance(absl::Minutes(1));
  }
  EXPECT_EQ(Ask("alice", "secret", "198.51.100.1"), kAccepted);
}

TEST_F(ShieldTest, AKnownAddressHasALimitOfItsOwnThatWeighsOnNobodyElse) {
  Ask("alice", "secret", "192.0.2.1");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Guess("alice", "192.0.2.1"), kWrong);
  const Verdict verdict = stack_->Ask("alice", "secret", "192.0.2.1");
  EXPECT_EQ(verdict.decision, kThrottled);
  EXPECT_EQ(verdict.throttle, ThrottleReason::kKnownAddress);
  EXPECT_EQ(Ask("alice", "secret", "192.0.2.9"), kAccepted);
}

TEST_F(ShieldTest, ASuccessFromTheCacheMakesAnAddressKnown) {
  Ask("alice", "secret", "192.0.2.1");
  EXPECT_EQ(stack_->Ask("alice", "secret", "192.0.2.2").source, Source::kCache);
  for (int i = 0; i < 3; ++i) Guess("alice", "198.51.100.1");
  EXPECT_EQ(Ask("alice", "secret", "192.0.2.2"), kAccepted);
}

TEST_F(ShieldTest, AnAddressIsKnownForItsTimeAlone) {
  Ask("alice", "secret", "192.0.2.1");
  clock_.Advance(absl::Hours(721));
  for (int i = 0; i < 3; ++i) Guess("alice", "198.51.100.1");
  EXPECT_EQ(Ask("alice", "secret", "192.0.2.1"), kThrottled);
}

TEST_F(ShieldTest, AnAddressWhereTooManyUsersFailedIsThrottledForAllThatAreNotKnownThere) {
  Ask("alice", "secret", "198.51.100.1");
  for (int user = 0; user < 4; ++user) EXPECT_EQ(Ask(absl::StrCat("user", user), "Spring2026", "198.51.100.1"), kWrong);
  const Verdict verdict = stack_->Ask("user9", "pw", "198.51.100.1");
  EXPECT_EQ(verdict.decision, kThrottled);
  EXPECT_EQ(verdict.throttle, ThrottleReason::kAddress);
  EXPECT_EQ(Ask("alice", "secret", "198.51.100.1"), kAccepted);
  EXPECT_EQ(Ask("user9", "pw", "198.51.100.2"), kAccepted);
}

TEST_F(ShieldTest, MadeUpNamesCountLikeRealOnes) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Ask(absl::StrCat("made-up", i), "x", "198.51.100.1"), kUnknown);
  EXPECT_EQ(Ask("made-up9", "x", "198.51.100.1"), kThrottled);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Guess("nobody", absl::StrCat("203.0.113.", i)), kUnknown);
  EXPECT_EQ(Guess("nobody", "203.0.113.9"), kThrottled);
}

TEST_F(ShieldTest, AnIpv6CustomerIsOneAddress) {
  for (int i = 0; i < 4; ++i) Ask(absl::StrCat("made-up", i), "x", absl::StrCat("2001:db8:1:2::", i));
  EXPECT_EQ(Ask("made-up9", "x", "2001:db8:1:2:ffff::1"), kThrottled);
  EXPECT_EQ(Ask("made-up9", "x", "2001:db8:1:3::1"), kUnknown);
}

TEST_F(ShieldTest, AHouseholdsStalePhonesDoNotThrottleTheirAddress) {
  for (int user = 0; user < 8; ++user) Ask(absl::StrCat("user", user), "pw", "192.0.2.1");
  for (int user = 0; user < 8; ++user) Ask(absl::StrCat("user", user), "old", "192.0.2.1");
  EXPECT_EQ(Ask("user9", "pw", "192.0.2.1"), kAccepted);
}

TEST_F(ShieldTest, AProxysAddressSaysNothing) {
  options_.throttle.proxies = {IpNetwork::Parse("192.0.2.0/24").value()};
  Build();
  Ask("alice", "secret", "192.0.2.1");
  for (int user = 0; user < 8; ++user) Ask(absl::StrCat("user", user), "Spring2026", "192.0.2.1");
  EXPECT_EQ(Ask("user9", "pw", "192.0.2.1"), kAccepted);
  for (int i = 0; i < 3; ++i) Guess("alice", "192.0.2.1");
  EXPECT_EQ(Ask("alice", "secret", "192.0.2.1"), kThrottled) << "nobody is known there";
}

TEST_F(ShieldTest, OtherNamesOfAnAccountAreTheAccount) {
  Ask("alice@corp", "secret", "192.0.2.1");
  Guess("alice@corp", "198.51.100.1");
  for (int i = 0; i < 2; ++i) Guess("alice", "198.51.100.1");
  EXPECT_EQ(Ask("alice@corp", "secret", "198.51.100.1"), kThrottled);
  EXPECT_EQ(Ask("alice", "secret", "192.0.2.1"), kAccepted);
}

TEST_F(ShieldTest, GuessesCountWhileTheDirectoryIsDownToo) {
  Ask("alice", "secret", "192.0.2.1");
  directory_->AnswerAlways(absl::UnavailableError("down"));
  for (int i = 0; i < 3; ++i) {
    stack_->Start("alice", absl::StrCat("guess", i), "198.51.100.1", [](const absl::StatusOr<Verdict>&) {});
  }
  EXPECT_EQ(Ask("alice", "secret", "198.51.100.1"), kThrottled) << "all others got an error";
}

TEST_F(ShieldTest, AnOutageThrottlesNoAddress) {
  directory_->AnswerAlways(absl::UnavailableError("down"));
  for (int user = 0; user < 8; ++user) {
    stack_->Start(absl::StrCat("user", user), "pw", "192.0.2.1", [](const absl::StatusOr<Verdict>&) {});
  }
  directory_->AnswerAlways(std::nullopt);
  for (int user = 0; user < 9; ++user) EXPECT_EQ(Ask(absl::StrCat("user", user), "pw", "192.0.2.1"), kAccepted);
}

TEST_F(ShieldTest, GuessesAtOneMomentCountBeforeTheyAreAnswered) {
  Ask("alice", "secret", "192.0.2.1");
  directory_->Hold();
  int throttled = 0;
  const auto count = [&](absl::StatusOr<Verdict> verdict) { throttled += verdict->decision == kThrottled ? 1 : 0; };
  for (int i = 0; i < 100; ++i) {
    stack_->Start("alice", absl::StrCat("guess", i), absl::StrCat("198.51.100.", i), count);
  }
  EXPECT_EQ(throttled, 97);
  EXPECT_EQ(Ask("alice", "secret", "198.51.100.1"), kThrottled);
  directory_->Release();
}

TEST_F(ShieldTest, WhatProvesRightCountsAsNothing) {
  for (int i = 0; i < 10; ++i) {
    directory_->AddUser("alice", absl::StrCat("secret", i));
    EXPECT_EQ(Ask("alice", absl::StrCat("secret", i), absl::StrCat("192.0.2.", i)), kAccepted);
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Guess("alice", "198.51.100.1"), kWrong);
  EXPECT_EQ(Guess("alice", "198.51.100.1"), kThrottled);
}

TEST_F(ShieldTest, ADryRunThrottlesNobodyAndCounts) {
  options_.throttle.dry_run = true;
  Build();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Guess("alice", "198.51.100.1"), kWrong);
  const RealmCounts counts = stack_->counts();
  EXPECT_EQ(counts.would_throttle[static_cast<size_t>(ThrottleReason::kAccount)], 2u);
  EXPECT_EQ(counts.Throttled(), 0u);
}

}  // namespace
}  // namespace credcache
