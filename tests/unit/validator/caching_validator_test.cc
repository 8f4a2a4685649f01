#include "validator/caching_validator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "base/fake_clock.h"
#include "base/random.h"
#include "journal/memory_journal.h"
#include "validator/fake_validator.h"

namespace credcache {
namespace {

using testing::ElementsAre;

// One realm over a fake directory with two users; bob has a second name.
class CachingValidatorTest : public testing::Test {
 protected:
  CachingValidatorTest() {
    directory_->AddUser("alice", "secret");
    directory_->AddUser("bob", "hunter2", {"robert"});
    Build();
  }

  void Build() {
    validator_ = nullptr;
    validator_ = std::make_unique<CachingValidator>(
        CachingOptions{.realm = "corp", .realm_id = kRealm, .policy = policy_, .feeds = feeds_},
        CachingValidator::Shared{.cache = cache_off_ ? nullptr : &cache_,
                                 .digester = digester_,
                                 .flights = flights_,
                                 .revisions = journal_,
                                 .clock = clock_},
        metrics_.ForRealm("corp"), directory_);
  }

  // What came of a log-on, as "outcome source", or the error's code; "waiting" until it is answered.
  struct Answer {
    std::string text = "waiting";
    Verdict verdict;
  };
  std::shared_ptr<Answer> Start(absl::string_view name, absl::string_view password,
                                std::optional<absl::Duration> max_age = std::nullopt) {
    auto answer = std::make_shared<Answer>();
    validator_->Validate(
        {.username = Name(name), .password = SecretView(password), .max_age = max_age, .asked_at = clock_.Monotonic()},
        [answer](absl::StatusOr<Verdict> verdict) {
          ASSERT_EQ(answer->text, "waiting") << "answered twice";
          answer->text = Describe(verdict);
          if (verdict.ok()) answer->verdict = *std::move(verdict);
        });
    return answer;
  }
  std::string Ask(absl::string_view name, absl::string_view password,
                  std::optional<absl::Duration> max_age = std::nullopt) {
    return Start(name, password, max_age)->text;
  }
  static std::string Describe(const absl::StatusOr<Verdict>& verdict) {
    if (!verdict.ok()) return absl::StatusCodeToString(verdict.status().code());
    static const std::map<Decision, std::string> kDecisions = {
        {Decision::kAccepted, "accepted"},        {Decision::kUnknownUser, "rejected"},
        {Decision::kWrongPassword, "rejected"},   {Decision::kLocked, "locked"},
        {Decision::kAccountDisabled, "disabled"}, {Decision::kPasswordExpired, "expired"},
    };
    return kDecisions.at(verdict->decision) + " " + std::string(credcache::Name(verdict->source));
  }

  int64_t Invalidate(absl::string_view name) {
    int64_t removed = -1;
    journal_.Append({.target = Invalidation::Target::kUser, .realm = "corp", .usernames = {std::string(name)}},
                    [&](absl::StatusOr<Appended> appended) { removed = appended->entries_removed; });
    return removed;
  }

  static constexpr RealmId kRealm{0};
  FakeClock clock_;
  SystemRandomness randomness_;
  CachePolicy policy_{.quarantine = absl::ZeroDuration()};
  std::shared_ptr<RealmFeeds> feeds_ = std::make_shared<RealmFeeds>();
  bool cache_off_ = false;
  Cache cache_{{.buckets = 4, .max_entries = 1000}, clock_, randomness_};
  Digester digester_{randomness_};
  FlightTable flights_;
  MemoryJournal journal_{"test", [this](Revision revision, const Invalidation& invalidation) {
                           return cache_.Forget({kRealm, Name(invalidation.usernames[0])}, revision, policy_);
                         }};
  Metrics metrics_{{}};
  std::shared_ptr<FakeValidator> directory_ = std::make_shared<FakeValidator>();
  std::unique_ptr<CachingValidator> validator_;
};

TEST_F(CachingValidatorTest, ValidatesOnceAndAnswersFromTheCacheAfterThat) {
  EXPECT_EQ(Ask("alice", "secret"), "accepted backend");
  EXPECT_EQ(Ask("alice", "secret"), "accepted cache");
  EXPECT_EQ(directory_->validations(), 1);
}

TEST_F(CachingValidatorTest, SaysWhenItWasValidatedAndUntilWhenThatCounts) {
  const absl::Time began = clock_.Now();
  const auto first = Start("alice", "secret");
  EXPECT_EQ(first->verdict.validated_at, began);
  EXPECT_EQ(first->verdict.expires_at, began + absl::Minutes(15));
  clock_.Advance(absl::Minutes(10));
  const auto second = Start("alice", "secret");
  EXPECT_EQ(second->verdict.validated_at, began);
  EXPECT_EQ(second->verdict.expires_at, clock_.Now() + absl::Minutes(15));
  EXPECT_EQ(second->verdict.identity.subject(), "id-alice");
}

TEST_F(CachingValidatorTest, RejectedPasswordKeepsTheGoodEntry) {
  Ask("alice", "secret");
  EXPECT_EQ(Ask("alice", "guess"), "rejected backend");
  EXPECT_EQ(Ask("alice", "guess"), "rejected cache");
  EXPECT_EQ(Ask("alice", "secret"), "accepted cache");
  EXPECT_EQ(directory_->validations(), 2);
}

TEST_F(CachingValidatorTest, UnknownUsersAreRememberedToo) {
  EXPECT_EQ(Ask("mallory", "x"), "rejected backend");
  EXPECT_EQ(Ask("mallory", "x"), "rejected cache");
}

TEST_F(CachingValidatorTest, EqualLogOnsShareOneFlight) {
  directory_->Hold();
  const auto first = Start("alice", "secret");
  const auto second = Start("alice", "secret");
  const auto other = Start("alice", "guess");
  EXPECT_EQ(first->text, "waiting");
  directory_->Release();
  EXPECT_EQ(first->text, "accepted backend");
  EXPECT_EQ(second->text, "accepted coalesced");
  EXPECT_EQ(other->text, "rejected backend");
  EXPECT_EQ(directory_->validations(), 2);
  EXPECT_EQ(metrics_.ForRealm("corp").Counts().coalesced, 1U);
}

TEST_F(CachingValidatorTest, MaxAgeZeroValidatesNowAndJoinsNothing) {
  Ask("alice", "secret");
  EXPECT_EQ(Ask("alice", "secret", absl::ZeroDuration()), "accepted backend");
  directory_->Hold();
  const auto first = Start("alice", "secret", absl::ZeroDuration());
  const auto second = Start("alice", "secret", absl::ZeroDuration());
  directory_->Release();
  EXPECT_EQ(first->text, "accepted backend");
  EXPECT_EQ(second->text, "accepted backend");
}

TEST_F(CachingValidatorTest, MaxAgeDecidesWhetherAFlightIsFreshEnough) {
  directory_->Hold();
  const auto first = Start("alice", "secret");
  clock_.Advance(absl::Seconds(3));
  const auto strict = Start("alice", "secret", absl::Seconds(2));
  const auto lenient = Start("alice", "secret", absl::Seconds(4));
  directory_->Release();
  EXPECT_EQ(strict->text, "accepted backend");
  EXPECT_EQ(lenient->text, "accepted coalesced");
  EXPECT_EQ(directory_->validations(), 2);
}

TEST_F(CachingValidatorTest, ErrorsAreNeverVerdicts) {
  Ask("alice", "secret");
  clock_.Advance(absl::Minutes(16));
  directory_->AnswerAlways(absl::UnavailableError("down"));
  EXPECT_EQ(Ask("alice", "secret"), "UNAVAILABLE");
  EXPECT_EQ(Ask("alice", "guess"), "UNAVAILABLE");
  directory_->AnswerAlways(std::nullopt);
  EXPECT_EQ(Ask("alice", "guess"), "rejected backend");
  EXPECT_EQ(Ask("alice", "secret"), "accepted backend");
}

TEST_F(CachingValidatorTest, AFailingResolveIsAnErrorToo) {
  directory_->FailResolve(absl::UnavailableError("down"));
  EXPECT_EQ(Ask("alice", "secret"), "UNAVAILABLE");
  directory_->FailResolve(absl::OkStatus());
  EXPECT_EQ(Ask("alice", "secret"), "accepted backend");
}

TEST_F(CachingValidatorTest, WithStaleGraceAnAgedEntryAnswersWhileTheBackendIsDown) {
  policy_.stale_grace = absl::Minutes(30);
  policy_.idle_limit = absl::Hours(10);
  policy_.refresh_ahead = false;
  Build();
  Ask("alice", "secret");
  clock_.Advance(absl::Minutes(121));
  directory_->AnswerAlways(absl::UnavailableError("down"));
  EXPECT_EQ(Ask("alice", "secret"), "accepted stale");
  EXPECT_EQ(Ask("alice", "secret", absl::Minutes(5)), "UNAVAILABLE");
  EXPECT_EQ(Ask("alice", "guess"), "UNAVAILABLE");
  clock_.Advance(absl::Minutes(30));
  EXPECT_EQ(Ask("alice", "secret"), "UNAVAILABLE");
}

TEST_F(CachingValidatorTest, ARejectionAfterTheAgeLimitRemovesTheEntry) {
  Ask("alice", "secret");
  clock_.Advance(absl::Minutes(16));
  directory_->AddUser("alice", "changed");
  EXPECT_EQ(Ask("alice", "secret"), "rejected backend");
  EXPECT_EQ(cache_.Counts().entries, 0);
}

TEST_F(CachingValidatorTest, LockedDisabledAndExpiredAreNotRemembered) {
  for (const Decision decision : {Decision::kLocked, Decision::kAccountDisabled, Decision::kPasswordExpired}) {
    directory_->AnswerAlways(Verdict{.decision = decision});
    Ask("alice", "secret");
    const int before = directory_->validations();
    Ask("alice", "secret");
    EXPECT_EQ(directory_->validations(), before + 1);
  }
}

TEST_F(CachingValidatorTest, AFlightFromBeforeAnInvalidateFillsNothingAndIsNotJoined) {
  directory_->Hold();
  const auto before = Start("alice", "secret");
  Invalidate("alice");
  const auto after = Start("alice", "secret");
  directory_->Release();
  EXPECT_EQ(before->text, "accepted backend");
  EXPECT_EQ(after->text, "accepted backend");
  EXPECT_EQ(directory_->validations(), 2);
}

TEST_F(CachingValidatorTest, AfterAnInvalidateTheFencedFlightLeavesNoEntry) {
  directory_->Hold();
  const auto before = Start("alice", "secret");
  Invalidate("alice");
  directory_->Release();
  EXPECT_EQ(cache_.Counts().entries, 0);
  EXPECT_EQ(Ask("alice", "secret"), "accepted backend");
  EXPECT_EQ(Ask("alice", "secret"), "accepted cache");
}

TEST_F(CachingValidatorTest, InQuarantineAnAcceptanceIsNotKept) {
  policy_.quarantine = absl::Seconds(5);
  Build();
  Invalidate("alice");
  EXPECT_EQ(Ask("alice", "secret"), "accepted backend");
  EXPECT_EQ(Ask("alice", "secret"), "accepted backend");
  clock_.Advance(absl::Seconds(6));
  EXPECT_EQ(Ask("alice", "secret"), "accepted backend");
  EXPECT_EQ(Ask("alice", "secret"), "accepted cache");
}

TEST_F(CachingValidatorTest, InQuarantineTheBackendHearsOfIt) {
  policy_.quarantine = absl::Seconds(5);
  Build();
  Ask("alice", "secret");
  EXPECT_EQ(directory_->quarantined_resolves() + directory_->quarantined_validations(), 0);
  Invalidate("alice");
  Ask("alice", "secret");
  Ask("bob", "hunter2");
  EXPECT_EQ(directory_->quarantined_resolves(), 1);
  EXPECT_EQ(directory_->quarantined_validations(), 1);
  clock_.Advance(absl::Seconds(5));
  Ask("alice", "secret");
  EXPECT_EQ(directory_->quarantined_resolves(), 1);
  EXPECT_EQ(directory_->quarantined_validations(), 1);
}

TEST_F(CachingValidatorTest, ANameThatTurnsOutToBeInQuarantineIsResolvedAnew) {
  policy_.quarantine = absl::Seconds(5);
  Build();
  Invalidate("bob");
  EXPECT_EQ(Ask("robert", "hunter2"), "accepted backend");
  EXPECT_EQ(directory_->resolves(), 2);
  EXPECT_EQ(directory_->quarantined_resolves(), 1);
  EXPECT_EQ(directory_->quarantined_validations(), 1);
  EXPECT_EQ(directory_->validations(), 1);
}

TEST_F(CachingValidatorTest, NamesOfOneAccountShareItsEntry) {
  EXPECT_EQ(Ask("bob", "hunter2"), "accepted backend");
  EXPECT_EQ(Ask("robert", "hunter2"), "accepted cache");
  const int resolves = directory_->resolves();
  EXPECT_EQ(Ask("robert", "hunter2"), "accepted cache");
  EXPECT_EQ(directory_->resolves(), resolves) << "the name is in the index now";
  EXPECT_EQ(directory_->validations(), 1);
  EXPECT_EQ(Start("robert", "hunter2")->verdict.identity.username(), "bob");
}

TEST_F(CachingValidatorTest, ALogOnByAnotherNameFillsTheAccountsEntry) {
  EXPECT_EQ(Ask("robert", "hunter2"), "accepted backend");
  EXPECT_EQ(Ask("bob", "hunter2"), "accepted cache");
  EXPECT_EQ(Ask("robert", "hunter2"), "accepted cache");
  EXPECT_EQ(directory_->validations(), 1);
  EXPECT_EQ(cache_.Counts().entries, 1);
}

TEST_F(CachingValidatorTest, NamesOfOneAccountShareAFlight) {
  directory_->Hold();
  const auto by_name = Start("bob", "hunter2");
  const auto by_alias = Start("robert", "hunter2");
  const auto again = Start("robert", "hunter2");
  directory_->Release();
  EXPECT_EQ(by_name->text, "accepted backend");
  EXPECT_EQ(by_alias->text, "accepted coalesced");
  EXPECT_EQ(again->text, "accepted coalesced");
  EXPECT_EQ(directory_->validations(), 1);
}

TEST_F(CachingValidatorTest, ForgettingByAnyNameForgetsTheAccount) {
  Ask("robert", "hunter2");
  EXPECT_EQ(Invalidate("robert"), 1);
  EXPECT_EQ(Ask("bob", "hunter2"), "accepted backend");
}

TEST_F(CachingValidatorTest, AFenceOnTheAccountKeepsOthersFromAnAliasesFlight) {
  directory_->Hold();
  const auto before = Start("robert", "hunter2");
  Invalidate("bob");
  const auto after = Start("robert", "hunter2");
  directory_->Release();
  EXPECT_EQ(before->text, "accepted backend");
  EXPECT_EQ(after->text, "accepted backend");
  EXPECT_EQ(directory_->validations(), 2);
}

TEST_F(CachingValidatorTest, TheCanonicalNameMayComeWithTheVerdict) {
  directory_->CanonicalNameOnlyInVerdict();
  EXPECT_EQ(Ask("robert", "hunter2"), "accepted backend");
  EXPECT_EQ(Ask("bob", "hunter2"), "accepted cache");
  EXPECT_EQ(Ask("robert", "hunter2"), "accepted cache");
  EXPECT_EQ(Invalidate("bob"), 1);
  EXPECT_EQ(Ask("robert", "hunter2"), "accepted backend");
}

TEST_F(CachingValidatorTest, RefreshesOnceAheadOfAnEntrysEnd) {
  policy_.idle_limit = absl::Hours(3);
  Build();
  Ask("alice", "secret");
  clock_.Advance(absl::Minutes(119) + absl::Seconds(59));
  directory_->Hold();
  EXPECT_EQ(Ask("alice", "secret"), "accepted cache");
  EXPECT_EQ(Ask("alice", "secret"), "accepted cache");
  EXPECT_EQ(directory_->validations(), 2);
  directory_->Release();
  clock_.Advance(absl::Minutes(60));
  EXPECT_EQ(Ask("alice", "secret"), "accepted cache");
  EXPECT_EQ(metrics_.ForRealm("corp").Counts().refreshes, 1U);
}

TEST_F(CachingValidatorTest, ARefreshThatIsRejectedEndsTheEntry) {
  policy_.idle_limit = absl::Hours(3);
  Build();
  Ask("alice", "secret");
  clock_.Advance(absl::Minutes(119) + absl::Seconds(59));
  directory_->AddUser("alice", "changed");
  EXPECT_EQ(Ask("alice", "secret"), "accepted cache");
  EXPECT_EQ(Ask("alice", "secret"), "rejected cache");
}

TEST_F(CachingValidatorTest, SizeZeroValidatesEachLogOn) {
  cache_off_ = true;
  Build();
  directory_->Hold();
  const auto first = Start("alice", "secret");
  const auto second = Start("alice", "secret");
  directory_->Release();
  EXPECT_EQ(first->text, "accepted backend");
  EXPECT_EQ(second->text, "accepted backend");
  EXPECT_EQ(directory_->validations(), 2);
  EXPECT_EQ(metrics_.ForRealm("corp").Counts().misses[static_cast<size_t>(MissReason::kDisabled)], 2U);
}

TEST_F(CachingValidatorTest, CountsWhatItAnswersFrom) {
  Ask("alice", "secret");  // absent
  Ask("alice", "secret");  // hit
  Ask("alice", "guess");   // digest
  Ask("alice", "guess");   // negative hit
  clock_.Advance(absl::Minutes(16));
  Ask("alice", "secret");  // idle
  const RealmCounts counts = metrics_.ForRealm("corp").Counts();
  EXPECT_EQ(counts.hits, 1U);
  EXPECT_EQ(counts.negative_hits, 1U);
  EXPECT_THAT(counts.misses, ElementsAre(1, 0, 1, 1, 0, 0, 0, 0));
}

TEST_F(CachingValidatorTest, DestructionWaitsForWhatIsUnderWay) {
  directory_->Hold();
  const auto answer = Start("alice", "secret");
  std::thread release([this] { directory_->Release(); });
  validator_ = nullptr;
  EXPECT_EQ(answer->text, "accepted backend");
  release.join();
}

TEST_F(CachingValidatorTest, ManyEqualLogOnsAtOnceAreOneValidation) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 500;
  for (int round = 0; round < kRounds; ++round) {
    const std::string user = "user" + std::to_string(round);
    directory_->AddUser(user, "pw");
    std::vector<std::shared_ptr<Answer>> answers(kThreads);
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (std::shared_ptr<Answer>& answer : answers) {
      threads.emplace_back([&] { answer = Start(user, "pw"); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::shared_ptr<Answer>& answer : answers) EXPECT_TRUE(absl::StartsWith(answer->text, "accepted"));
    ASSERT_EQ(directory_->validations(), round + 1);
  }
}

TEST_F(CachingValidatorTest, WhileTheFeedIsDownEntriesLiveNoLongerThanItsLimit) {
  policy_.feed_down_age_limit = absl::Minutes(5);
  Build();
  Ask("alice", "secret");
  clock_.Advance(absl::Minutes(6));
  EXPECT_EQ(Ask("alice", "secret"), "accepted cache");
  feeds_->CountDown();
  EXPECT_EQ(Ask("alice", "secret"), "accepted backend");
  clock_.Advance(absl::Minutes(4));
  EXPECT_EQ(Ask("alice", "secret"), "accepted cache");
  clock_.Advance(absl::Minutes(2));
  feeds_->CountUp();  // it told first whatever had changed
  EXPECT_EQ(Ask("alice", "secret"), "accepted cache");
}

TEST_F(CachingValidatorTest, WhileTheFeedIsDownARejectionIsNotRememberedForLong) {
  policy_.negative_first = policy_.negative_longest = absl::Minutes(30);
  Build();
  Ask("alice", "wrong");
  clock_.Advance(absl::Minutes(6));
  EXPECT_EQ(Ask("alice", "wrong"), "rejected cache");
  feeds_->CountDown();
  EXPECT_EQ(Ask("alice", "wrong"), "rejected backend");
}

}  // namespace
}  // namespace credcache
