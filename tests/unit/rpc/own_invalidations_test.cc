#include "rpc/own_invalidations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "rpc/rpc_fixture.h"

namespace credcache {
namespace {

// A change feed's word, all the way to the cache. Entries are put there by hand.
class OwnInvalidationsTest : public testing::Test {
 protected:
  void Fill(RealmId realm, absl::string_view name) {
    const Username username = *Username::Normalize(name, CaseRule::kFold);
    EXPECT_EQ(f_.cache.Fill({.asked = username,
                             .account = {realm, username},
                             .digest = digester_.Compute("realm", name, SecretView("pw")),
                             .verdict = FillRequest::Verdict::kAccepted,
                             .identity = Identity(name, "id"),
                             .validated_at = f_.clock.Monotonic(),
                             .revision = f_.journal.Applied()},
                            CachePolicy()),
              FillOutcome::kFilled);
  }
  bool Knows(RealmId realm, absl::string_view name) {
    const Username username = *Username::Normalize(name, CaseRule::kFold);
    const Digest digest = digester_.Compute("realm", name, SecretView("pw"));
    return f_.cache.Find({realm, username}, digest, CachePolicy(), std::nullopt).kind == Finding::Kind::kAccepted;
  }

  std::shared_ptr<ChangeListener> Listener() {
    return invalidations_.ListenerFor(
        {.realm = "corp.example", .backend = "file", .metrics = metrics_, .feeds = feeds_, .reporter = f_.reporter});
  }

  RpcFixture f_;
  Digester digester_{f_.randomness};
  const RealmId corp_ = f_.realm_ids.Intern("corp.example");
  const RealmId other_ = f_.realm_ids.Intern("other.example");
  BackendMetrics& metrics_ = f_.metrics.ForBackend("corp.example", "file");
  const std::shared_ptr<RealmFeeds> feeds_ = std::make_shared<RealmFeeds>();
  OwnInvalidations invalidations_{f_.journal, f_.metrics, *f_.audit, f_.clock};
};

TEST_F(OwnInvalidationsTest, AFeedHasTheAccountsForgottenThatChanged) {
  for (const char* name : {"alice", "bob", "carol"}) Fill(corp_, name);
  Fill(other_, "alice");
  Listener()->AccountsChanged({"alice", "bob"});
  EXPECT_FALSE(Knows(corp_, "alice"));
  EXPECT_FALSE(Knows(corp_, "bob"));
  EXPECT_TRUE(Knows(corp_, "carol"));
  EXPECT_TRUE(Knows(other_, "alice"));
  EXPECT_EQ(f_.metrics.Invalidations(), 2u);

  f_.audit_lines.WaitForLines(2);
  const auto event = f_.audit_lines.events().front();
  EXPECT_EQ(event["origin"], "feed");
  EXPECT_EQ(event["target"], "user");
  EXPECT_EQ(event["realm"], "corp.example");
  EXPECT_EQ(event["username"], "alice");
  EXPECT_EQ(event["entries_removed"], 1);
}

TEST_F(OwnInvalidationsTest, OrTheRealmWhereThatIsSimpler) {
  Fill(corp_, "alice");
  Fill(other_, "alice");
  Listener()->EverythingChanged();
  EXPECT_FALSE(Knows(corp_, "alice"));
  EXPECT_TRUE(Knows(other_, "alice"));
  f_.audit_lines.WaitForLines(1);
  EXPECT_EQ(f_.audit_lines.events().front()["target"], "realm");
}

TEST_F(OwnInvalidationsTest, AFeedsStateIsCountedAndTold) {
  const std::shared_ptr<ChangeListener> listener = Listener();
  EXPECT_EQ(metrics_.Feed(), FeedState::kNone);
  EXPECT_TRUE(feeds_->AllUp());
  listener->FeedDown("no server");
  listener->FeedDown("still none");
  EXPECT_EQ(metrics_.Feed(), FeedState::kDown);
  EXPECT_FALSE(feeds_->AllUp());
  listener->FeedUp();
  listener->FeedUp();
  EXPECT_EQ(metrics_.Feed(), FeedState::kUp);
  EXPECT_TRUE(feeds_->AllUp());
}

TEST_F(OwnInvalidationsTest, OneFeedOfTwoThatIsDownIsEnough) {
  const std::shared_ptr<ChangeListener> first = Listener();
  std::shared_ptr<ChangeListener> second = Listener();
  first->FeedUp();
  second->FeedDown("no server");
  EXPECT_FALSE(feeds_->AllUp());
  second = nullptr;
  EXPECT_TRUE(feeds_->AllUp());
}

TEST_F(OwnInvalidationsTest, AFeedFromBeforeAReloadSaysNothingMoreOfTheBackend) {
  std::shared_ptr<ChangeListener> before = Listener();
  before->FeedDown("no server");
  const std::shared_ptr<ChangeListener> after = Listener();
  after->FeedUp();
  before->FeedDown("the program ends");
  before = nullptr;
  EXPECT_EQ(metrics_.Feed(), FeedState::kUp);
}

}  // namespace
}  // namespace credcache
