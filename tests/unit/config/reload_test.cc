#include "config/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "config/config_folder.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReloadTest : public ::testing::Test {
 protected:
  ReloadPlan Plan(absl::string_view running, absl::string_view next) {
    const auto from = folder_.Parse(absl::StrCat(running, "\n", kRealm));
    const auto to = folder_.Parse(absl::StrCat(next, "\n", kRealm));
    EXPECT_TRUE(from.ok()) << from.status().message();
    EXPECT_TRUE(to.ok()) << to.status().message();
    return from.ok() && to.ok() ? PlanReload(**from, **to) : ReloadPlan();
  }

  ConfigFolder folder_;
};

TEST_F(ReloadTest, NothingChanged) {
  const ReloadPlan plan = Plan("", "cache: {age_limit: 2h}");
  EXPECT_THAT(plan.live, IsEmpty());
  EXPECT_THAT(plan.restart, IsEmpty());
}

TEST_F(ReloadTest, LimitsAuditAndLogChangeLive) {
  const ReloadPlan plan = Plan("", R"(
audit: {hits: true}
log: {level: debug}
cache: {age_limit: 1h}
listen: {max_in_flight: 5}
)");
  EXPECT_THAT(plan.live, ElementsAre("listen.max_in_flight", "cache", "audit", "log", "realms.r"));
  EXPECT_THAT(plan.restart, IsEmpty());
  EXPECT_TRUE(plan.config->audit.hits);
  EXPECT_EQ(plan.config->realms[0].policy.age_limit, absl::Hours(1));
}

TEST_F(ReloadTest, AddressesSocketsAndSizesStayUntilARestart) {
  const ReloadPlan plan = Plan("", R"(
listen: {grpc: "0.0.0.0:1", unix: [{path: s}], admin: "127.0.0.1:2", insecure: true, max_connection_age: 1h}
cache: {buckets: 8, max_entries: 1000, age_limit: 1h}
)");
  EXPECT_THAT(plan.restart, ElementsAre("listen.grpc", "listen.unix", "listen.admin", "listen.insecure",
                                        "listen.max_connection_age", "cache.buckets", "cache.max_entries"));
  EXPECT_THAT(plan.live, ElementsAre("cache", "realms.r"));
  EXPECT_EQ(plan.config->listen, ListenConfig());
  EXPECT_EQ(plan.config->cache.buckets, 256);
  EXPECT_EQ(plan.config->cache.max_entries, 1'000'000);
  EXPECT_EQ(plan.config->cache.policy.age_limit, absl::Hours(1));
}

constexpr absl::string_view kOpen = R"(
listen: {grpc: "0.0.0.0:1"}
tls: {certificate: server.pem, private_key: server.key, client_ca: ca.pem}
callers: [{name: a, certificate: a.example, allow: [stats]}]
)";

// The next file is right by itself, as it moves to loopback; its absent callers must not reach the port that is open.
TEST_F(ReloadTest, AnOpenPortKeepsAskingForCallers) {
  const ReloadPlan plan = Plan(kOpen, "");
  EXPECT_THAT(plan.restart, ElementsAre("listen.grpc", "tls", "callers"));
  EXPECT_THAT(plan.live, IsEmpty());
  EXPECT_TRUE(plan.config->tls.has_value());
  EXPECT_TRUE(plan.config->callers.has_value());
}

TEST_F(ReloadTest, CallersAndCertificatesChangeLive) {
  folder_.Write("new.pem", "text");
  const ReloadPlan plan = Plan(kOpen, R"(
listen: {grpc: "0.0.0.0:1"}
tls: {certificate: new.pem, private_key: server.key, client_ca: ca.pem}
callers: [{name: a, certificate: a.example, allow: [stats, invalidate]}]
)");
  EXPECT_THAT(plan.restart, IsEmpty());
  EXPECT_THAT(plan.live, ElementsAre("tls", "callers"));
  EXPECT_EQ(plan.config->tls->certificate, folder_ / "new.pem");
}

TEST_F(ReloadTest, WhetherClientCertificatesAreAskedForStays) {
  const ReloadPlan plan = Plan("tls: {certificate: server.pem, private_key: server.key}",
                               "tls: {certificate: server.pem, private_key: server.key, client_ca: ca.pem}");
  EXPECT_THAT(plan.restart, ElementsAre("tls.client_ca"));
  EXPECT_THAT(plan.live, IsEmpty());
  EXPECT_EQ(plan.config->tls->client_ca, "");
}

TEST_F(ReloadTest, RealmsComeGoAndChangeLive) {
  const auto parse = [&](absl::string_view text) {
    auto config = folder_.Parse(text);
    EXPECT_TRUE(config.ok()) << config.status().message();
    return *config;
  };
  const auto running = parse(R"(
realms:
  - {name: same, default: true, validators: [{file: {path: users}}]}
  - {name: changed, validators: [{file: {path: users}}]}
  - {name: gone, validators: [{file: {path: users}}]}
)");
  const auto next = parse(R"(
realms:
  - {name: same, default: true, validators: [{file: {path: users}}]}
  - {name: changed, validators: [{file: {path: users}, continue_on_rejected: true}]}
  - {name: new, validators: [{file: {path: users}}]}
)");
  const ReloadPlan plan = PlanReload(*running, *next);
  EXPECT_THAT(plan.live, ElementsAre("realms.changed", "realms.new", "realms.gone"));
  EXPECT_THAT(plan.restart, IsEmpty());
  EXPECT_EQ(plan.config->realms, next->realms);
}

}  // namespace
}  // namespace credcache
