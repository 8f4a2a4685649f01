#include "rpc/admin_pages.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "metrics/metrics.h"

namespace credcache {
namespace {

using ::testing::HasSubstr;

class AdminPagesTest : public ::testing::Test {
 protected:
  AdminReply Ask(absl::string_view method, absl::string_view path, absl::string_view query = "") {
    return AnswerAdminRequest({.method = method, .path = path, .query = query},
                              {.metrics = metrics_, .readiness = [this] { return checks_; }});
  }

  Metrics metrics_{{.version = "1", .revision = "r"}};
  std::vector<ReadinessCheck> checks_ = {{.name = "grpc"}, {.name = "journal"}};
};

TEST_F(AdminPagesTest, MetricsAreInPrometheusTextFormat) {
  const AdminReply reply = Ask("GET", "/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(reply.body, HasSubstr("# TYPE credcache_build_info gauge\ncredcache_build_info{"));
}

TEST_F(AdminPagesTest, ReadyWhenEveryCheckIs) {
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
  EXPECT_EQ(Ask("GET", "/readyz").body, "ok\n");
  EXPECT_EQ(Ask("GET", "/readyz", "verbose").body, "[+] grpc: ok\n[+] journal: ok\nok\n");
}

TEST_F(AdminPagesTest, NotReadySaysWhy) {
  checks_[0] = {.name = "grpc", .ready = false, .reason = "draining"};
  const AdminReply reply = Ask("GET", "/readyz");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body, "[-] grpc: draining\nnot ready\n");
  EXPECT_EQ(Ask("GET", "/readyz", "a=b&verbose").body, "[-] grpc: draining\n[+] journal: ok\nnot ready\n");
}

TEST_F(AdminPagesTest, LiveEvenWhenNotReady) {
  checks_[0].ready = false;
  EXPECT_EQ(Ask("GET", "/livez").status, 200);
}

TEST_F(AdminPagesTest, OtherPathsAreNotFound) {
  for (const char* path : {"/", "", "/metrics/", "/metrics/x", "/Metrics", "/../etc/passwd", "//livez"}) {
    EXPECT_EQ(Ask("GET", path).status, 404) << path;
  }
}

TEST_F(AdminPagesTest, OnlyReadingIsAllowed) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", ""}) {
    const AdminReply reply = Ask(method, "/metrics");
    EXPECT_EQ(reply.status, 405) << method;
    EXPECT_EQ(reply.allow, "GET, HEAD");
  }
  EXPECT_EQ(Ask("HEAD", "/metrics").status, 200);
}

TEST_F(AdminPagesTest, WhatIsNotRequiredIsToldAndKeepsNobodyAway) {
  checks_.push_back({.name = "feed", .ready = false, .reason = "down", .required = false});
  EXPECT_EQ(Ask("GET", "/readyz").status, 200);
  EXPECT_EQ(Ask("GET", "/readyz").body, "[!] feed: down\nok\n");
}

}  // namespace
}  // namespace credcache
