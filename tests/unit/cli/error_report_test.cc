#include "cli/error_report.h"

#include <gtest/gtest.h>

#include <sstream>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace credcache::cli {
namespace {

grpc::Status Detailed() {
  google::rpc::ErrorInfo info;
  info.set_reason("FIELD_INVALID");
  info.set_domain("credcache");
  google::rpc::BadRequest bad;
  auto& violation = *bad.add_field_violations();
  violation.set_field("password.username");
  violation.set_description("longer than 256 bytes");
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(2);
  google::rpc::Status proto;
  proto.set_code(3);
  proto.add_details()->PackFrom(info);
  proto.add_details()->PackFrom(bad);
  proto.add_details()->PackFrom(retry);
  return {grpc::StatusCode::INVALID_ARGUMENT, "the request is not valid", proto.SerializeAsString()};
}

TEST(ErrorReportTest, TellsReasonFieldsAndDelay) {
  EXPECT_EQ(DescribeError(Detailed()),
            "credcachectl: INVALID_ARGUMENT: the request is not valid\n"
            "  reason: FIELD_INVALID (credcache)\n"
            "  field password.username: longer than 256 bytes\n"
            "  try again in 2.0s\n");
}

TEST(ErrorReportTest, JsonIsTheStatusItself) {
  EXPECT_EQ(ErrorJson(Detailed()),
            R"({"code":3,"message":"the request is not valid","details":[)"
            R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"FIELD_INVALID","domain":"credcache",)"
            R"("metadata":{}},)"
            R"({"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[)"
            R"({"field":"password.username","description":"longer than 256 bytes"}]},)"
            R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}]})");
}

TEST(ErrorReportTest, DetailsOfUnknownTypesCostNothingElse) {
  google::rpc::Status proto;
  proto.add_details()->set_type_url("type.googleapis.com/example.Unknown");
  const grpc::Status status(grpc::StatusCode::INTERNAL, "broken", proto.SerializeAsString());
  EXPECT_EQ(ErrorJson(status), R"({"code":13,"message":"broken","details":[]})");
  EXPECT_EQ(DescribeError(status), "credcachectl: INTERNAL: broken\n");
}

TEST(ErrorReportTest, DetailsThatAreGarbageCostNothingElse) {
  const grpc::Status status(grpc::StatusCode::INTERNAL, "broken", "\xff\xff\xff");
  EXPECT_EQ(DescribeError(status), "credcachectl: INTERNAL: broken\n");
}

TEST(ErrorReportTest, ServersTextCannotDriveTheTerminal) {
  EXPECT_EQ(DescribeError({grpc::StatusCode::INTERNAL, "\x1b[2J"}), "credcachectl: INTERNAL: \\x1b[2J\n");
}

TEST(ErrorReportTest, UsersMistakesComeWithoutACode) {
  std::ostringstream out;
  std::ostringstream err;
  Console console{-1, -1, out, err};
  EXPECT_EQ(ReportError(absl::InvalidArgumentError("no such file"), console), ExitCode::kUsage);
  EXPECT_EQ(err.str(), "credcachectl: no such file\n");
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace credcache::cli
