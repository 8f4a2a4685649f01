#include "backends/servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "backends/recording_reporter.h"
#include "base/fake_clock.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using Failure = Servers::Failure;

class ServersTest : public ::testing::Test {
 protected:
  std::vector<size_t> Order(Servers::Prefer prefer = Servers::Prefer::kConfigured) {
    std::vector<size_t> order;
    for (const Servers::Choice& choice : servers_.Order(prefer)) order.push_back(choice.server);
    return order;
  }

  FakeClock clock_;
  RecordingReporter reporter_;
  Servers servers_{"ldap", {"ldap://a", "ldap://b", "ldap://c"}, clock_, reporter_};
};

TEST_F(ServersTest, AsksInTheConfiguredOrder) { EXPECT_THAT(Order(), ElementsAre(0, 1, 2)); }

TEST_F(ServersTest, TheFollowedOneComesFirstForWhoAsksForThatWhileItIsUp) {
  EXPECT_THAT(Order(Servers::Prefer::kFollowed), ElementsAre(0, 1, 2));
  servers_.SetFollowed(2);
  EXPECT_THAT(Order(Servers::Prefer::kFollowed), ElementsAre(2, 0, 1));
  EXPECT_THAT(Order(), ElementsAre(0, 1, 2));
  servers_.MarkDown(0, Failure::kUnreachable, "gone");
  EXPECT_THAT(Order(Servers::Prefer::kFollowed), ElementsAre(2, 1, 0));
  servers_.MarkDown(2, Failure::kUnreachable, "gone");
  EXPECT_THAT(Order(Servers::Prefer::kFollowed), ElementsAre(1, 0, 2));
  servers_.MarkUp(2);
  servers_.SetFollowed(std::nullopt);
  EXPECT_THAT(Order(Servers::Prefer::kFollowed), ElementsAre(1, 2, 0));
}

TEST_F(ServersTest, OneThatIsDownComesLastUntilItIsUp) {
  servers_.MarkDown(0, Failure::kUnreachable, "gone");
  EXPECT_THAT(Order(), ElementsAre(1, 2, 0));
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Order(), ElementsAre(1, 2, 0)) << "no log-on is to find out by waiting";
  servers_.MarkUp(0);
  EXPECT_THAT(Order(), ElementsAre(0, 1, 2));
}

TEST_F(ServersTest, WhenAllAreDownTheOneThatFailedFirstIsFirst) {
  servers_.MarkDown(1, Failure::kUnreachable, "x");
  clock_.Advance(absl::Seconds(1));
  servers_.MarkDown(0, Failure::kUnreachable, "x");
  clock_.Advance(absl::Seconds(1));
  servers_.MarkDown(2, Failure::kUnreachable, "x");
  EXPECT_THAT(Order(), ElementsAre(1, 0, 2));
}

TEST_F(ServersTest, OneThatRefusedUsIsLeftAloneForAWhile) {
  Servers one("ldap", {"ldap://a"}, clock_, reporter_);
  one.MarkDown(0, Failure::kRefused, "wrong bind_password_file");
  EXPECT_TRUE(one.Order().empty());
  EXPECT_EQ(one.why(), "ldap://a: wrong bind_password_file");
  clock_.Advance(absl::Seconds(30));
  EXPECT_EQ(one.Order().size(), 1U);
}

TEST_F(ServersTest, EveryFailureEndsTheTrustInOlderConnections) {
  const uint64_t before = servers_.Order()[0].generation;
  servers_.MarkDown(0, Failure::kUnreachable, "x");
  servers_.MarkUp(0);
  EXPECT_NE(servers_.Order()[0].generation, before);
}

TEST_F(ServersTest, OneProbeAtATimeAfterTheCoolDown) {
  EXPECT_EQ(servers_.ClaimProbe(), std::nullopt);
  servers_.MarkDown(1, Failure::kUnreachable, "x");
  EXPECT_EQ(servers_.ClaimProbe(), std::nullopt);
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(servers_.ClaimProbe(), 1U);
  EXPECT_EQ(servers_.ClaimProbe(), std::nullopt);
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(servers_.ClaimProbe(), 1U);
}

TEST_F(ServersTest, NobodyProbesWhileLogOnsTryThemselves) {
  for (const size_t server : {0, 1, 2}) servers_.MarkDown(server, Failure::kUnreachable, "x");
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(servers_.ClaimProbe(), std::nullopt);
}

TEST_F(ServersTest, ReportsChangesAndNotEveryFailure) {
  servers_.MarkDown(0, Failure::kUnreachable, "gone");
  servers_.MarkDown(0, Failure::kUnreachable, "gone");
  EXPECT_THAT(reporter_.Take(), ElementsAre("ldap_server_down ldap://a: gone"));
  servers_.MarkUp(0);
  servers_.MarkUp(0);
  EXPECT_THAT(reporter_.Take(), ElementsAre("ldap_server_up ldap://a: answers again"));
}

}  // namespace
}  // namespace credcache
