#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/limits.h"
#include "rpc/rpc_fixture.h"

namespace credcache {
namespace {

class BatchTest : public testing::Test {
 protected:
  void SetUp() override { f_.Start(); }
  grpc::Status Send(const v1::BatchAuthenticateRequest& request, v1::BatchAuthenticateResponse* response,
                    absl::Duration timeout = absl::Seconds(20)) {
    grpc::ClientContext context;
    f_.SetDeadline(context, timeout);
    return f_.stub->BatchAuthenticate(&context, request, response);
  }
  static v1::BatchAuthenticateRequest Batch(int elements) {
    v1::BatchAuthenticateRequest request;
    for (int i = 0; i < elements; ++i) *request.add_requests() = LogOnOf("alice", "s3cret");
    return request;
  }

  RpcFixture f_;
  v1::BatchAuthenticateResponse response_;
};

TEST_F(BatchTest, EachElementStandsOnItsOwnAndKeepsItsPlace) {
  v1::BatchAuthenticateRequest request;
  *request.add_requests() = LogOnOf("alice", "s3cret");
  *request.add_requests() = LogOnOf("", "s3cret");
  *request.add_requests() = LogOnOf("alice", "guess");
  *request.add_requests() = LogOnOf("alice", std::string(1025, 'x'));
  request.add_requests()->set_session_token("token");
  ASSERT_TRUE(Send(request, &response_).ok());
  ASSERT_EQ(response_.results_size(), 5);
  EXPECT_EQ(response_.results(0).response().outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(PartsOf(response_.results(1).error()).field, "password.username");
  EXPECT_EQ(response_.results(2).response().outcome(), v1::OUTCOME_REJECTED);
  EXPECT_EQ(PartsOf(response_.results(3).error()).field, "password.password");
  EXPECT_EQ(response_.results(4).error().code(), static_cast<int>(grpc::StatusCode::UNIMPLEMENTED));
}

TEST_F(BatchTest, OfManyEachHasItsOwnAnswer) {
  v1::BatchAuthenticateRequest request;
  const auto is_right = [](int i) { return i % 5 < 2; };
  for (int i = 0; i < 100; ++i) *request.add_requests() = LogOnOf("alice", is_right(i) ? "s3cret" : "guess");
  ASSERT_TRUE(Send(request, &response_).ok());
  ASSERT_EQ(response_.results_size(), 100);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(response_.results(i).response().outcome(), is_right(i) ? v1::OUTCOME_ACCEPTED : v1::OUTCOME_REJECTED)
        << i;
  }
}

TEST_F(BatchTest, NoneAndTooManyAreInvalid) {
  for (const int elements : {0, 4097}) {
    const grpc::Status status = Send(Batch(elements), &response_);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << elements;
    EXPECT_EQ(PartsOf(status).field, "requests") << elements;
  }
  EXPECT_EQ(f_.validator->validations(), 0);
}

TEST_F(BatchTest, TheLargestBatchIsAnswered) {
  ASSERT_TRUE(Send(Batch(4096), &response_).ok());
  EXPECT_EQ(response_.results_size(), 4096);
  EXPECT_EQ(response_.results(4095).response().outcome(), v1::OUTCOME_ACCEPTED);
}

TEST_F(BatchTest, TheLargestElementsFit) {
  v1::BatchAuthenticateRequest request;
  for (int i = 0; i < 4096; ++i) *request.add_requests() = LogOnOf(std::string(256, 'u'), std::string(1024, 'p'));
  ASSERT_TRUE(Send(request, &response_).ok());
  EXPECT_EQ(response_.results_size(), 4096);
}

TEST_F(BatchTest, ANameThatIsNotUtf8NamesItsElement) {
  v1::BatchAuthenticateRequest request = Batch(3);
  request.mutable_requests(2)->mutable_password()->set_username("\xff");
  EXPECT_EQ(PartsOf(Send(request, &response_)).field, "requests[2].password.username");
}

TEST_F(BatchTest, WhatIsNotFinishedByTheDeadlineComesBackAsSuchInTime) {
  f_.validator->HoldUser("slow");
  v1::BatchAuthenticateRequest request = Batch(2);
  *request.add_requests() = LogOnOf("slow", "s3cret");
  ASSERT_TRUE(Send(request, &response_, absl::Milliseconds(400)).ok());
  EXPECT_EQ(response_.results(0).response().outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(response_.results(1).response().outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(response_.results(2).error().code(), static_cast<int>(grpc::StatusCode::DEADLINE_EXCEEDED));
  EXPECT_EQ(PartsOf(response_.results(2).error()).reason, "DEADLINE_EXCEEDED");
  f_.validator->Release();  // too late, and harmless
}

TEST_F(BatchTest, LateAnswersCompleteIt) {
  f_.validator->Hold();
  auto call = std::async(std::launch::async, [&] { return Send(Batch(100), &response_); });
  f_.validator->WaitForHeld(100);
  EXPECT_EQ(f_.in_flight.count(), 100);
  f_.validator->Release();
  ASSERT_TRUE(call.get().ok());
  for (const auto& result : response_.results()) EXPECT_EQ(result.response().outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(f_.in_flight.count(), 0);
}

TEST_F(BatchTest, ElementsAboveTheLimitInFlightAreRefusedAlone) {
  f_.in_flight.SetLimit(2);
  f_.validator->Hold();
  ASSERT_TRUE(Send(Batch(3), &response_, absl::Milliseconds(400)).ok());
  EXPECT_EQ(PartsOf(response_.results(1).error()).reason, "DEADLINE_EXCEEDED");
  EXPECT_EQ(response_.results(2).error().code(), static_cast<int>(grpc::StatusCode::RESOURCE_EXHAUSTED));
  EXPECT_TRUE(PartsOf(response_.results(2).error()).retry_after.has_value());
}

TEST_F(BatchTest, AClientThatLeavesLeavesNothingBehind) {
  f_.validator->Hold();
  grpc::ClientContext context;
  auto call =
      std::async(std::launch::async, [&] { return f_.stub->BatchAuthenticate(&context, Batch(10), &response_); });
  f_.validator->WaitForHeld(10);
  context.TryCancel();
  EXPECT_EQ(call.get().error_code(), grpc::StatusCode::CANCELLED);
  f_.validator->Release();
  while (f_.in_flight.count() > 0) std::this_thread::yield();
}

TEST_F(BatchTest, AResponseThatIsTooLargeKeepsWhatFits) {
  IdentityDetails details;
  for (int i = 0; i < 1000; ++i)
    details.groups.push_back("a group with a rather long name, number " + std::to_string(i));
  f_.validator->SetIdentity(Identity("alice", "uuid", Shared<IdentityDetails>(std::move(details))));
  ASSERT_TRUE(Send(Batch(1000), &response_).ok());
  EXPECT_LE(response_.ByteSizeLong(), kMaxMessageSize);
  ASSERT_EQ(response_.results_size(), 1000);
  EXPECT_EQ(response_.results(0).response().outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(PartsOf(response_.results(999).error()).reason, "RESPONSE_TOO_LARGE");
}

}  // namespace
}  // namespace credcache
