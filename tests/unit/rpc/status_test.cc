#include "rpc/status.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "rpc/rpc_fixture.h"

namespace credcache {
namespace {

TEST(StatusTest, EveryReasonHasItsOwnNameAndAnErrorCode) {
  std::set<std::string> names;
  for (int i = 0; i < kErrorReasons; ++i) {
    const auto reason = static_cast<ErrorReason>(i);
    EXPECT_TRUE(names.insert(std::string(Name(reason))).second) << Name(reason);
    EXPECT_NE(CodeOf(reason), absl::StatusCode::kOk) << Name(reason);
  }
}

TEST(StatusTest, AFieldErrorNamesTheField) {
  const grpc::Status status = ToGrpcStatus(MakeFieldError("password.username", "is empty"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "password.username is empty");
  const ErrorParts parts = PartsOf(status);
  EXPECT_EQ(parts.reason, "INVALID_FIELD");
  EXPECT_EQ(parts.domain, "credcache");
  EXPECT_EQ(parts.field, "password.username");
  EXPECT_FALSE(parts.retry_after.has_value());
}

TEST(StatusTest, OverloadAlwaysSaysWhenToRetry) {
  for (int i = 0; i < kErrorReasons; ++i) {
    const auto reason = static_cast<ErrorReason>(i);
    const ErrorParts parts = PartsOf(ToGrpcStatus(MakeError(reason, "text")));
    EXPECT_EQ(parts.reason, Name(reason));
    EXPECT_EQ(parts.retry_after.has_value(), CodeOf(reason) == absl::StatusCode::kResourceExhausted) << Name(reason);
  }
}

TEST(StatusTest, WhatABackendSaidIsNotRepeated) {
  const absl::Status status = MakeBackendError(absl::UnavailableError("ldap: no such object: uid=alice"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message().find("alice"), absl::string_view::npos);
}

TEST(StatusTest, AnErrorOfUnexpectedKindIsInternalAndSaysNoMore) {
  const grpc::Status status = ToGrpcStatus(absl::DataLossError("entry 17 of alice is broken"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message(), "internal error");
  EXPECT_EQ(PartsOf(status).reason, "INTERNAL");
}

}  // namespace
}  // namespace credcache
