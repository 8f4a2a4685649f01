// What phones and guessers do to a directory that locks accounts, and what becomes of their owners (design, section 5).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "validator/protected_stack.h"

namespace credcache {
namespace {

constexpr char kPhone[] = "192.0.2.10";
constexpr char kDesk[] = "192.0.2.20";

class ProtectionTest : public testing::Test {
 protected:
  // Active Directory with a threshold of 3.
  void Build() {
    directory_ = std::make_shared<LockingDirectory>(clock_, 3, absl::Minutes(30));
    directory_->SetPassword("alice", "new");
    options_.budget = {.rejections = 2, .window = absl::Minutes(30)};
    stack_ = std::make_unique<ProtectedStack>(options_, clock_, directory_);
  }

  FakeClock clock_;
  ProtectedStack::Options options_;
  std::shared_ptr<LockingDirectory> directory_;
  std::unique_ptr<ProtectedStack> stack_;
};

struct PhoneDay {
  const char* name;
  absl::Duration negative_longest;  // 5 min where no feed tells of changes
  absl::Duration poll;
  absl::Duration owner;  // logs on so often
};

class PhoneDayTest : public ProtectionTest, public testing::WithParamInterface<PhoneDay> {};

// The phone knew the old password; it is at an address from which its owner succeeded too.
TEST_P(PhoneDayTest, APhoneWithAnOldPasswordLocksNobodyAndItsOwnerAlwaysGetsIn) {
  options_.cache.negative_longest = GetParam().negative_longest;
  Build();
  directory_->SetPassword("alice", "old");
  EXPECT_EQ(stack_->Decided("alice", "old", kPhone), Decision::kAccepted);
  directory_->SetPassword("alice", "new");
  clock_.Advance(absl::Hours(3));
  EXPECT_EQ(stack_->Decided("alice", "new", kDesk), Decision::kAccepted);

  absl::Duration since_owner;
  bool at_desk = false;
  int tries = 0;
  for (absl::Duration day; day < absl::Hours(24); day += GetParam().poll) {
    clock_.Advance(GetParam().poll);
    ASSERT_EQ(stack_->Decided("alice", "old", kPhone), Decision::kWrongPassword) << day;
    ++tries;
    since_owner += GetParam().poll;
    if (since_owner < GetParam().owner) continue;
    since_owner = absl::ZeroDuration();
    at_desk = !at_desk;
    ASSERT_EQ(stack_->Decided("alice", "new", at_desk ? kDesk : kPhone), Decision::kAccepted) << day;
  }
  EXPECT_FALSE(directory_->AnyLocked());
  // At most twice in each of the 48 half hours, and once more for each time that the owner cleared the counter.
  EXPECT_LE(directory_->rejections(), 2 * 48 + 24 * 60 / absl::ToInt64Minutes(GetParam().owner));
  RecordProperty("tries", tries);
  RecordProperty("rejections_at_the_directory", directory_->rejections());
}

INSTANTIATE_TEST_SUITE_P(
    Days, PhoneDayTest,
    testing::Values(PhoneDay{"FiveThousandTriesWithAFeed", absl::Minutes(30), absl::Seconds(17), absl::Minutes(40)},
                    PhoneDay{"FiveThousandTriesWithoutAFeed", absl::Minutes(5), absl::Seconds(17), absl::Minutes(40)},
                    PhoneDay{"EveryFifteenMinutesWithoutAFeed", absl::Minutes(5), absl::Minutes(15), absl::Minutes(45)},
                    PhoneDay{"EverySevenMinutesAndTheOwnerOften", absl::Minutes(5), absl::Minutes(7),
                             absl::Minutes(7)}),
    [](const auto& test) { return test.param.name; });

TEST_F(ProtectionTest, TenThousandGuessesFromFiveHundredAddressesReachTheDirectoryAsTheBudgetAllows) {
  Build();
  ASSERT_EQ(stack_->Decided("alice", "new", kDesk), Decision::kAccepted);
  int rejected = 0;
  for (int guess = 0; guess < 10'000; ++guess) {
    const std::string address = absl::StrCat("198.51.", 100 + guess % 2, ".", guess % 250);
    // The right one is among them, once the limit is passed.
    const std::string password = guess == 5'000 ? "new" : absl::StrCat("guess", guess);
    const Decision decision = stack_->Decided("alice", password, address);
    if (decision == Decision::kWrongPassword) ++rejected;
    ASSERT_NE(decision, Decision::kAccepted) << guess;
    if (guess % 10 == 0) {
      ASSERT_EQ(stack_->Decided("alice", "new", kDesk), Decision::kAccepted) << guess;
    }
    clock_.Advance(absl::Milliseconds(30));  // five minutes in all
  }
  EXPECT_EQ(rejected, 2);
  EXPECT_EQ(directory_->rejections(), 2);
  EXPECT_FALSE(directory_->AnyLocked());
}

TEST_F(ProtectionTest, GuessesAtTheSameMomentGetNoMore) {
  options_.budget = {.rejections = 2, .window = absl::Minutes(30)};
  auto directory = std::make_shared<FakeValidator>();
  directory->AddUser("alice", "new");
  stack_ = std::make_unique<ProtectedStack>(options_, clock_, directory);
  directory->Hold();
  int answered = 0;
  int throttled = 0;
  for (int guess = 0; guess < 100; ++guess) {
    stack_->Start("alice", absl::StrCat("guess", guess), absl::StrCat("198.51.100.", guess),
                  [&](absl::StatusOr<Verdict> verdict) {
                    ++answered;
                    if (verdict->decision == Decision::kThrottled) ++throttled;
                  });
  }
  directory->Release();
  EXPECT_EQ(answered, 100);
  EXPECT_EQ(throttled, 98);
  EXPECT_EQ(directory->validations(), 2);
}

TEST_F(ProtectionTest, ARefreshThatTheBudgetRefusesLeavesTheEntry) {
  options_.cache.age_limit = absl::Minutes(20);
  options_.cache.idle_limit = absl::Minutes(20);
  Build();
  stack_->Decided("alice", "new", kDesk);
  clock_.Advance(absl::Minutes(19) + absl::Seconds(30));
  for (const char* guess : {"a", "b"}) stack_->Decided("alice", guess, "198.51.100.1");
  EXPECT_EQ(stack_->Ask("alice", "new", kDesk).source, Source::kCache);
  EXPECT_EQ(stack_->Ask("alice", "new", kDesk).source, Source::kCache);
  EXPECT_EQ(directory_->binds(), 3);
}

TEST_F(ProtectionTest, ASprayOfMadeUpNamesEvictsNoGoodEntry) {
  options_.budget = BudgetPolicy();
  auto directory = std::make_shared<FakeValidator>();
  for (int user = 0; user < 1'000; ++user) directory->AddUser(absl::StrCat("user", user), "pw");
  stack_ = std::make_unique<ProtectedStack>(options_, clock_, directory);
  for (int user = 0; user < 1'000; ++user) stack_->Decided(absl::StrCat("user", user), "pw", kDesk);
  for (int spray = 0; spray < 100'000; ++spray) {
    const Decision decision =
        stack_->Decided(absl::StrCat("made-up", spray), "Spring2026",
                        absl::StrCat("203.", spray / 65'536, ".", spray / 256 % 256, ".", spray % 256));
    ASSERT_EQ(decision, Decision::kUnknownUser) << spray;
  }
  for (int user = 0; user < 1'000; ++user) {
    ASSERT_EQ(stack_->Ask(absl::StrCat("user", user), "pw", kDesk).source, Source::kCache) << user;
  }
  EXPECT_LE(stack_->cache().Counts().negative_entries, 10'000 / 8);
}

}  // namespace
}  // namespace credcache
