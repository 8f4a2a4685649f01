#include "load/workload.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

namespace credcache::load {
namespace {

TEST(PopularityTest, FollowsZipfsLaw) {
  constexpr uint32_t kUsers = 50;
  constexpr int kDraws = 200'000;
  constexpr double kExponent = 0.99;
  Popularity popularity(kUsers, kExponent);
  std::mt19937_64 random(3);
  std::array<int, kUsers> seen = {};
  for (int i = 0; i < kDraws; ++i) ++seen.at(popularity.Draw(random));

  double total = 0;
  for (uint32_t user = 0; user < kUsers; ++user) total += std::pow(user + 1, -kExponent);
  for (uint32_t user = 0; user < kUsers; ++user) {
    const double share = std::pow(user + 1, -kExponent) / total;
    const double deviation = std::sqrt(kDraws * share * (1 - share));
    EXPECT_NEAR(seen.at(user), kDraws * share, 5 * deviation) << user;
  }
}

TEST(PopularityTest, WithoutAnExponentAllAreAlike) {
  Popularity popularity(4, 0);
  std::mt19937_64 random(3);
  std::array<int, 4> seen = {};
  for (int i = 0; i < 40'000; ++i) ++seen.at(popularity.Draw(random));
  for (const int count : seen) EXPECT_NEAR(count, 10'000, 450);
}

TEST(WorkloadTest, MixesTheKindsByWeight) {
  Workload workload({.users = 10, .mix = {.weights = {90, 8, 2}}});
  std::array<int, kKinds> seen = {};
  for (int i = 0; i < 100'000; ++i) ++seen.at(static_cast<size_t>(workload.Next().kind));
  EXPECT_NEAR(seen[0], 90'000, 500);
  EXPECT_NEAR(seen[1], 8'000, 450);
  EXPECT_NEAR(seen[2], 2'000, 250);
}

TEST(WorkloadTest, EachMissIsAnotherUser) {
  Workload workload({.users = 10, .mix = {.weights = {1, 1, 1}}});
  std::set<uint32_t> missed;
  for (int i = 0; i < 1000; ++i) {
    const LogOn log_on = workload.Next();
    if (log_on.kind == Kind::kMiss) {
      EXPECT_GE(log_on.user, workload::kFirstMissUser);
      EXPECT_TRUE(missed.insert(log_on.user).second) << log_on.user;
    } else {
      EXPECT_LT(log_on.user, 10u);
    }
  }
  EXPECT_TRUE(missed.contains(workload.AnyMissUser()));
}

TEST(WorkloadTest, TheSameSeedGivesTheSameLogOns) {
  const WorkloadOptions options = {.users = 1000, .zipf = 1, .mix = {.weights = {8, 1, 1}}, .seed = 5};
  WorkloadOptions other = options;
  other.seed = 6;
  Workload first(options);
  Workload again(options);
  Workload different(other);
  int differences = 0;
  for (int i = 0; i < 1000; ++i) {
    const LogOn log_on = first.Next();
    const LogOn same = again.Next();
    EXPECT_EQ(log_on.kind, same.kind);
    EXPECT_EQ(log_on.user, same.user);
    if (log_on.user != different.Next().user) ++differences;
  }
  EXPECT_GT(differences, 100);
}

}  // namespace
}  // namespace credcache::load
