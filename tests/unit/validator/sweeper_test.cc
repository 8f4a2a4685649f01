#include "validator/sweeper.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/fake_clock.h"
#include "base/random.h"
#include "validator/fake_validator.h"

namespace credcache {
namespace {

constexpr int kEntries = 200;

class SweeperTest : public testing::Test {
 protected:
  SweeperTest() {
    const Digester digester(randomness_);
    for (int user = 0; user < kEntries; ++user) {
      const Username name = Name(absl::StrCat("user", user));
      const Digest digest = digester.Compute("corp", name.view(), SecretView("secret"));
      cache_.Fill({.asked = name,
                   .account = {RealmId{1}, name},
                   .digest = digest,
                   .verdict = FillRequest::Verdict::kAccepted,
                   .identity = Identity(name.view(), name.view()),
                   .validated_at = clock_.Monotonic()},
                  policy_);
    }
  }
  static Realms OneRealm(RealmId id) {
    std::vector<Realm> realms;
    realms.push_back({.name = "corp", .id = id, .validator = std::make_shared<FakeValidator>()});
    return Realms(std::move(realms), 0);
  }
  void TickForAMinute(const Realms& realms) {
    for (int tick = 0; tick < 60; ++tick) sweeper_.Tick(realms);
  }

  FakeClock clock_;
  SystemRandomness randomness_;
  CachePolicy policy_;
  Cache cache_{{.buckets = 16, .max_entries = 10'000}, clock_, randomness_};
  Sweeper sweeper_{&cache_};
};

TEST_F(SweeperTest, AMinuteOfTicksSweepsEveryBucket) {
  TickForAMinute(OneRealm(RealmId{1}));
  EXPECT_EQ(cache_.Counts().entries, kEntries) << "all are live";
  clock_.Advance(absl::Minutes(16));
  TickForAMinute(OneRealm(RealmId{1}));
  EXPECT_EQ(cache_.Counts().entries, 0);
}

TEST_F(SweeperTest, OneTickSweepsAFewBucketsOnly) {
  clock_.Advance(absl::Minutes(16));
  sweeper_.Tick(OneRealm(RealmId{1}));
  EXPECT_LT(cache_.Counts().entries, kEntries);
  EXPECT_GT(cache_.Counts().entries, 0);
}

TEST_F(SweeperTest, EntriesOfARealmThatIsGoneGo) {
  TickForAMinute(OneRealm(RealmId{2}));
  EXPECT_EQ(cache_.Counts().entries, 0);
}

TEST(SweeperWithoutCacheTest, HasNothingToDo) {
  std::vector<Realm> realms;
  realms.push_back({.name = "corp", .validator = std::make_shared<FakeValidator>()});
  Sweeper(nullptr).Tick(Realms(std::move(realms), 0));
}

}  // namespace
}  // namespace credcache
