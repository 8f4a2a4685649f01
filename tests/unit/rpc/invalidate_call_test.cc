#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/rpc_fixture.h"

namespace credcache {
namespace {

using testing::HasSubstr;

class InvalidateTest : public testing::Test {
 protected:
  void SetUp() override {
    f_.realm_ids.Intern("corp.example");
    f_.Start();
  }
  grpc::Status Invalidate(const v1::InvalidateRequest& request) {
    grpc::ClientContext context;
    f_.SetDeadline(context);
    return f_.stub->Invalidate(&context, request, &response_);
  }
  // Over a socket that stands for a caller with these rights.
  void CallAs(const PermissionSet& allow, const std::optional<std::vector<std::string>>& realms) {
    f_.server.reset();
    f_.SetCallers({{{.name = "admin", .allow = allow, .realms = realms, .audiences = {"admin"}}}});
    f_.listen.unix_sockets = {{.path = folder_.File("s"), .caller = "admin"}};
    f_.Start();
    f_.stub = f_.Connect("unix:" + folder_.File("s"), grpc::InsecureChannelCredentials());
  }
  static v1::InvalidateRequest User(const std::string& username) {
    v1::InvalidateRequest request;
    request.mutable_user()->set_username(username);
    return request;
  }
  static v1::InvalidateRequest Realm(const std::string& realm) {
    v1::InvalidateRequest request;
    request.set_realm(realm);
    return request;
  }
  static v1::InvalidateRequest All() {
    v1::InvalidateRequest request;
    request.set_all(true);
    return request;
  }

  TemporaryFolder folder_;
  RpcFixture f_;
  v1::InvalidateResponse response_;
};

TEST_F(InvalidateTest, AnswersWithTheRevisionAndWhoAcknowledged) {
  for (const v1::InvalidateRequest& request : {User("Alice"), Realm("corp"), All()}) {
    const uint64_t before = response_.revision();
    const grpc::Status status = Invalidate(request);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_GT(response_.revision(), before);
    ASSERT_EQ(response_.acknowledgements_size(), 1);
    EXPECT_EQ(response_.acknowledgements(0).replica(), "replica-1");
    EXPECT_EQ(response_.acknowledgements(0).state(), v1::ReplicaAcknowledgement::STATE_ACKNOWLEDGED);
  }
  EXPECT_EQ(f_.metrics.Invalidations(), 3);
}

TEST_F(InvalidateTest, BadTargetsAreNamed) {
  v1::InvalidateRequest request;
  const auto field = [&] { return PartsOf(Invalidate(request)).field; };
  EXPECT_EQ(field(), "target");
  request = User("");
  EXPECT_EQ(field(), "user.username");
  request = User("alice");
  request.mutable_user()->set_realm("nowhere.example");
  EXPECT_EQ(field(), "user.realm");
  request = Realm("nowhere.example");
  EXPECT_EQ(field(), "realm");
  request.set_all(false);
  EXPECT_EQ(field(), "all");
  request = All();
  request.set_reason(std::string(257, 'r'));
  EXPECT_EQ(field(), "reason");
  request = All();
  request.set_session_token("token");
  EXPECT_EQ(PartsOf(Invalidate(request)).reason, "NOT_IMPLEMENTED");
  EXPECT_EQ(f_.metrics.Invalidations(), 0);
}

TEST_F(InvalidateTest, OneUserNeedsInvalidateAndMoreNeedsInvalidateAll) {
  CallAs({Permission::kInvalidate}, std::nullopt);
  EXPECT_TRUE(Invalidate(User("alice")).ok());
  EXPECT_EQ(PartsOf(Invalidate(Realm("corp.example"))).reason, "METHOD_NOT_ALLOWED");
  EXPECT_EQ(PartsOf(Invalidate(All())).reason, "METHOD_NOT_ALLOWED");
  CallAs({Permission::kInvalidateAll}, std::nullopt);
  EXPECT_EQ(PartsOf(Invalidate(User("alice"))).reason, "METHOD_NOT_ALLOWED");
  EXPECT_TRUE(Invalidate(Realm("corp.example")).ok());
  EXPECT_TRUE(Invalidate(All()).ok());
}

TEST_F(InvalidateTest, ACallerStaysWithinItsRealms) {
  CallAs({Permission::kInvalidate, Permission::kInvalidateAll}, {{"corp.example"}});
  EXPECT_TRUE(Invalidate(User("alice@corp.example")).ok());
  EXPECT_EQ(PartsOf(Invalidate(User("alice@other.example"))).reason, "REALM_NOT_ALLOWED");
  EXPECT_TRUE(Invalidate(Realm("CORP")).ok());
  EXPECT_EQ(PartsOf(Invalidate(Realm("other.example"))).reason, "REALM_NOT_ALLOWED");
  EXPECT_EQ(PartsOf(Invalidate(All())).reason, "REALM_NOT_ALLOWED");
}

TEST_F(InvalidateTest, IsAudited) {
  v1::InvalidateRequest request = User("alice");
  request.set_reason("password changed");
  ASSERT_TRUE(Invalidate(request).ok());
  f_.server.reset();
  f_.audit.reset();
  ASSERT_EQ(f_.audit_lines.lines().size(), 1);
  for (const char* part : {"invalidation", "user", "alice", "corp.example", "password changed", "anyone"}) {
    EXPECT_THAT(f_.audit_lines.lines()[0], HasSubstr(part));
  }
}

// --- Stats

TEST_F(InvalidateTest, StatsTellOfAllParts) {
  ASSERT_TRUE(Invalidate(All()).ok());
  v1::StatsRequest request;
  request.set_per_realm(true);
  request.set_per_bucket(true);
  v1::StatsResponse stats;
  grpc::ClientContext context;
  ASSERT_TRUE(f_.stub->Stats(&context, request, &stats).ok());
  EXPECT_EQ(stats.cache().buckets(), 4);
  EXPECT_EQ(stats.cache().max_entries(), 1'000'000);
  EXPECT_EQ(stats.cache().invalidations(), 1);
  EXPECT_EQ(stats.buckets_size(), 4);
  ASSERT_EQ(stats.realms_size(), 2);
  EXPECT_EQ(stats.realms(0).realm(), "corp.example");
  EXPECT_EQ(stats.replica().name(), "replica-1");
  EXPECT_EQ(stats.replica().version(), "test");
  EXPECT_EQ(stats.replica().revision(), 1);
  EXPECT_EQ(stats.replica().lease_state(), v1::ReplicaStats::LEASE_STATE_NOT_NEEDED);
}

TEST_F(InvalidateTest, StatsNeedTheirPermissionAndKeepToTheCallersRealms) {
  CallAs({Permission::kAuthenticate}, std::nullopt);
  v1::StatsRequest request;
  request.set_per_realm(true);
  v1::StatsResponse stats;
  grpc::ClientContext refused;
  EXPECT_EQ(PartsOf(f_.stub->Stats(&refused, request, &stats)).reason, "METHOD_NOT_ALLOWED");
  CallAs({Permission::kStats}, {{"other.example"}});
  grpc::ClientContext context;
  ASSERT_TRUE(f_.stub->Stats(&context, request, &stats).ok());
  ASSERT_EQ(stats.realms_size(), 1);
  EXPECT_EQ(stats.realms(0).realm(), "other.example");
}

}  // namespace
}  // namespace credcache
