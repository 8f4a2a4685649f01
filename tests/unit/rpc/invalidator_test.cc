#include "rpc/invalidator.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/fake_clock.h"
#include "base/random.h"
#include "journal/memory_journal.h"
#include "validator/fake_validator.h"

namespace credcache {
namespace {

// One realm whose directory knows bob under two names; entries are put into the cache by hand.
class InvalidatorTest : public testing::Test {
 protected:
  InvalidatorTest() {
    directory_->AddUser("alice", "a");
    directory_->AddUser("bob", "b", {"robert"});
  }

  std::shared_ptr<const Realms> MakeRealms() {
    std::vector<Realm> realms;
    realms.push_back({.name = "corp", .id = realm_ids_.Intern("corp"), .validator = directory_});
    realms.push_back({.name = "other", .id = realm_ids_.Intern("other"), .validator = directory_});
    return std::make_shared<const Realms>(std::move(realms), 0);
  }

  FillOutcome Fill(absl::string_view name, Revision revision = Revision(0)) {
    return cache_.Fill({.asked = Name(name),
                        .account = {realm_ids_.Intern("corp"), Name(name)},
                        .digest = digester_.Compute("corp", name, SecretView("pw")),
                        .verdict = FillRequest::Verdict::kAccepted,
                        .identity = Identity(name, "id"),
                        .validated_at = clock_.Monotonic(),
                        .revision = revision},
                       CachePolicy());
  }

  Invalidator::Done Keep() {
    return [this](absl::StatusOr<Appended> appended) { answer_ = std::move(appended); };
  }

  FakeClock clock_;
  SystemRandomness randomness_;
  Digester digester_{randomness_};
  Cache cache_{{.buckets = 4, .max_entries = 1000}, clock_, randomness_};
  RealmIds realm_ids_;
  std::shared_ptr<FakeValidator> directory_ = std::make_shared<FakeValidator>();
  CurrentRealms realms_{MakeRealms()};
  AcceptedPasswords accepted_{100, clock_, randomness_};
  MemoryJournal journal_{"replica-1", InvalidationApplier(&cache_, realm_ids_, realms_, &accepted_)};
  Invalidator invalidator_{realms_, journal_, clock_};
  absl::StatusOr<Appended> answer_ = absl::InternalError("no answer");
};

TEST_F(InvalidatorTest, ForgetsAUserAndSaysWhoAcknowledged) {
  Fill("alice");
  invalidator_.User("", "Alice", {.reason = "left the company"}, Keep());
  ASSERT_TRUE(answer_.ok());
  EXPECT_EQ(answer_->entries_removed, 1);
  EXPECT_EQ(answer_->revision, Revision(1));
  ASSERT_EQ(answer_->acknowledgements.size(), 1U);
  EXPECT_EQ(answer_->acknowledgements[0].replica, "replica-1");
  EXPECT_EQ(cache_.Counts().entries, 0);
}

TEST_F(InvalidatorTest, AsksTheBackendWhichAccountANameIs) {
  Fill("bob");
  invalidator_.User("corp", "robert", {}, Keep());
  ASSERT_TRUE(answer_.ok());
  EXPECT_EQ(answer_->entries_removed, 1);
  EXPECT_EQ(Fill("bob", Revision(0)), FillOutcome::kFenced);
}

TEST_F(InvalidatorTest, WhereTheBackendCannotAnswerTheRealmIsFencedAndTheCallerTold) {
  Fill("robert");
  Fill("alice");
  directory_->FailResolve(absl::UnavailableError("down"));
  invalidator_.User("corp", "robert", {}, Keep());
  EXPECT_EQ(answer_.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(cache_.Counts().entries, 1) << "what was known by that name is gone, the rest is not";
  EXPECT_EQ(Fill("carol", Revision(0)), FillOutcome::kFenced);
  EXPECT_EQ(Fill("carol", journal_.Applied()), FillOutcome::kFilled);
}

TEST_F(InvalidatorTest, AUserThatTheDirectoryNoLongerHasGoesByName) {
  Fill("dave");
  invalidator_.User("corp", "dave", {}, Keep());
  ASSERT_TRUE(answer_.ok());
  EXPECT_EQ(answer_->entries_removed, 1);
}

TEST_F(InvalidatorTest, ForgetsARealmOrAll) {
  Fill("alice");
  Fill("bob");
  invalidator_.Realm("OTHER", {}, Keep());
  EXPECT_EQ(answer_->entries_removed, 0);
  invalidator_.Realm("CORP", {}, Keep());
  EXPECT_EQ(answer_->entries_removed, 2);
  Fill("alice", journal_.Applied());
  invalidator_.All({}, Keep());
  EXPECT_EQ(answer_->entries_removed, 1);
}

TEST_F(InvalidatorTest, LiftsWhatIsRetiredOnlyWhenItIsSaid) {
  const RealmId corp = realm_ids_.Intern("corp");
  const auto is_refused = [&] {
    const Digest old_password = digester_.Compute("corp", "bob", SecretView("old"));
    return !accepted_.Accept({corp, Name("bob")}, old_password, 2, absl::Hours(1));
  };
  const auto retire = [&] {
    accepted_.Accept({corp, Name("bob")}, digester_.Compute("corp", "bob", SecretView("old")), 1, absl::Hours(1));
    ASSERT_TRUE(is_refused());
  };
  retire();
  invalidator_.User("corp", "robert", {}, Keep());
  invalidator_.Realm("corp", {}, Keep());
  invalidator_.All({}, Keep());
  invalidator_.Realm("other", {.lift_retired = true}, Keep());
  EXPECT_TRUE(is_refused());
  invalidator_.User("corp", "robert", {.lift_retired = true}, Keep());
  EXPECT_FALSE(is_refused());

  clock_.Advance(absl::Hours(2));
  retire();
  invalidator_.Realm("corp", {.lift_retired = true}, Keep());
  EXPECT_FALSE(is_refused());

  clock_.Advance(absl::Hours(2));
  retire();
  invalidator_.All({.lift_retired = true}, Keep());
  EXPECT_FALSE(is_refused());
}

TEST_F(InvalidatorTest, RefusesRealmsThatDoNotExistAndNamesThatAreNone) {
  invalidator_.Realm("nowhere", {}, Keep());
  EXPECT_EQ(answer_.status().code(), absl::StatusCode::kInvalidArgument);
  invalidator_.User("nowhere", "alice", {}, Keep());
  EXPECT_EQ(answer_.status().code(), absl::StatusCode::kInvalidArgument);
  invalidator_.User("corp", "a\nb", {}, Keep());
  EXPECT_EQ(answer_.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(journal_.Applied(), Revision(0));
}

}  // namespace
}  // namespace credcache
