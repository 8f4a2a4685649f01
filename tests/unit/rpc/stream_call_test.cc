#include <gtest/gtest.h>

#include <future>
#include <map>
#include <set>
#include <thread>

#include "rpc/rpc_fixture.h"

namespace credcache {
namespace {

using Stream = grpc::ClientReaderWriter<v1::AuthenticateStreamRequest, v1::AuthenticateStreamResponse>;

class StreamTest : public testing::Test {
 protected:
  void Open() {
    if (f_.server == nullptr) f_.Start();
    f_.SetDeadline(context_);
    stream_ = f_.stub->AuthenticateStream(&context_);
  }
  static v1::NumberedRequest Numbered(uint64_t id, const v1::AuthenticateRequest& request) {
    v1::NumberedRequest numbered;
    numbered.set_id(id);
    *numbered.mutable_request() = request;
    return numbered;
  }
  bool Send(const std::vector<v1::NumberedRequest>& requests) {
    v1::AuthenticateStreamRequest message;
    for (const v1::NumberedRequest& request : requests) *message.add_requests() = request;
    return stream_->Write(message);
  }
  // Reads until there are so many results.
  std::map<uint64_t, v1::AuthenticateResult> Receive(size_t count) {
    std::map<uint64_t, v1::AuthenticateResult> results;
    v1::AuthenticateStreamResponse message;
    while (results.size() < count && stream_->Read(&message)) {
      ++messages_;
      for (const auto& result : message.results()) results[result.id()] = result.result();
    }
    return results;
  }

  RpcFixture f_;
  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
  int messages_ = 0;
};

TEST_F(StreamTest, ResultsThatAreReadyTogetherComeInOneMessage) {
  Open();
  std::vector<v1::NumberedRequest> requests;
  requests.reserve(16);
  for (uint64_t id = 1; id <= 16; ++id)
    requests.push_back(Numbered(id, LogOnOf("alice", id % 2 == 0 ? "s3cret" : "x")));
  ASSERT_TRUE(Send(requests));
  const auto results = Receive(16);
  EXPECT_EQ(messages_, 1);
  EXPECT_EQ(results.at(1).response().outcome(), v1::OUTCOME_REJECTED);
  EXPECT_EQ(results.at(2).response().outcome(), v1::OUTCOME_ACCEPTED);
  stream_->WritesDone();
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(StreamTest, ASlowMissHoldsUpNoHit) {
  Open();
  f_.validator->HoldUser("slow");
  ASSERT_TRUE(Send({Numbered(1, LogOnOf("slow", "s3cret")), Numbered(2, LogOnOf("alice", "s3cret"))}));
  EXPECT_EQ(Receive(1).count(2), 1);
  ASSERT_TRUE(Send({Numbered(3, LogOnOf("alice", "s3cret"))}));
  EXPECT_EQ(Receive(1).count(3), 1);
  stream_->WritesDone();
  f_.validator->Release();
  EXPECT_EQ(Receive(1).count(1), 1);
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(StreamTest, ErrorsAreOfTheirRequestAlone) {
  Open();
  v1::NumberedRequest negative = Numbered(3, LogOnOf("alice", "s3cret"));
  negative.mutable_timeout()->set_seconds(-1);
  ASSERT_TRUE(
      Send({Numbered(1, LogOnOf("", "s3cret")), Numbered(2, {}), negative, Numbered(4, LogOnOf("alice", "x"))}));
  const auto results = Receive(4);
  EXPECT_EQ(PartsOf(results.at(1).error()).field, "password.username");
  EXPECT_EQ(PartsOf(results.at(2).error()).field, "credential");
  EXPECT_EQ(PartsOf(results.at(3).error()).field, "timeout");
  EXPECT_EQ(results.at(4).response().outcome(), v1::OUTCOME_REJECTED);
}

TEST_F(StreamTest, ARequestsTimeoutIsItsOwn) {
  Open();
  f_.validator->Hold();
  v1::NumberedRequest quick = Numbered(1, LogOnOf("alice", "s3cret"));
  quick.mutable_timeout()->set_nanos(50'000'000);
  ASSERT_TRUE(Send({Numbered(2, LogOnOf("alice", "s3cret")), quick}));
  EXPECT_EQ(Receive(1).at(1).error().code(), static_cast<int>(grpc::StatusCode::DEADLINE_EXCEEDED));
  f_.validator->Release();
  EXPECT_EQ(Receive(1).at(2).response().outcome(), v1::OUTCOME_ACCEPTED);
}

TEST_F(StreamTest, TheDefaultTimeoutCountsFromReceipt) {
  f_.parts.stream_limits.default_timeout = absl::Milliseconds(50);
  Open();
  f_.validator->Hold();
  ASSERT_TRUE(Send({Numbered(1, LogOnOf("alice", "s3cret"))}));
  EXPECT_EQ(PartsOf(Receive(1).at(1).error()).reason, "DEADLINE_EXCEEDED");
}

TEST_F(StreamTest, ReadingStopsWhileTooManyAreUnanswered) {
  f_.parts.stream_limits.max_unanswered = 4;
  Open();
  f_.validator->Hold();
  for (uint64_t id = 0; id < 10; ++id) ASSERT_TRUE(Send({Numbered(id, LogOnOf("alice", "s3cret"))}));
  f_.validator->WaitForHeld(4);
  // Time to make the mistake: these come after the stream's messages on the same connection, and are answered.
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(f_.Authenticate(LogOnOf("alice", "")).ok());
  EXPECT_EQ(f_.validator->validations(), 4);
  f_.validator->Release();
  EXPECT_EQ(Receive(10).size(), 10);
  EXPECT_EQ(f_.validator->validations(), 10);
}

TEST_F(StreamTest, AClientThatReadsNothingIsLetGo) {
  f_.parts.stream_limits.write_stall = absl::Milliseconds(200);
  IdentityDetails details;
  for (int i = 0; i < 1000; ++i)
    details.groups.push_back("a group with a rather long name, number " + std::to_string(i));
  f_.validator->SetIdentity(Identity("alice", "uuid", Shared<IdentityDetails>(std::move(details))));
  Open();
  // Fails when the server, which reads no further, has ended the stream.
  uint64_t sent = 0;
  while (sent < 1'000'000 && Send({Numbered(sent, LogOnOf("alice", "s3cret"))})) ++sent;
  EXPECT_LT(sent, 1'000'000);
  EXPECT_LT(Receive(sent).size(), sent);  // gRPC keeps the status behind what can still be read
  const grpc::Status status = stream_->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
}

TEST_F(StreamTest, ADrainAnswersWhatWasReadAndEndsWithOk) {
  Open();
  f_.validator->Hold();
  ASSERT_TRUE(Send({Numbered(1, LogOnOf("alice", "s3cret"))}));
  f_.validator->WaitForHeld(1);
  auto drain = std::async(std::launch::async, [&] { f_.server->Drain(absl::Seconds(10)); });
  while (f_.Authenticate(LogOnOf("alice", "")).ok()) {
  }  // until new calls are refused
  f_.validator->Release();
  EXPECT_EQ(Receive(1).at(1).response().outcome(), v1::OUTCOME_ACCEPTED);
  v1::AuthenticateStreamResponse message;
  EXPECT_FALSE(stream_->Read(&message));
  const grpc::Status status = stream_->Finish();
  EXPECT_TRUE(status.ok()) << status.error_code() << " " << status.error_message();
  drain.get();
}

TEST_F(StreamTest, AnIdleStreamEndsAtADrain) {
  Open();
  ASSERT_TRUE(Send({Numbered(1, LogOnOf("alice", "s3cret"))}));
  EXPECT_EQ(Receive(1).size(), 1);
  const absl::Time begin = absl::Now();
  f_.server->Drain(absl::Seconds(10));
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(StreamTest, EndsWithOkAtTheConnectionsAge) {
  f_.parts.stream_limits.max_age = absl::Milliseconds(100);
  Open();
  ASSERT_TRUE(Send({Numbered(1, LogOnOf("alice", "s3cret"))}));
  EXPECT_EQ(Receive(1).size(), 1);
  EXPECT_EQ(Receive(1).size(), 0);
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(StreamTest, AClientThatLeavesLeavesNothingBehind) {
  Open();
  f_.validator->Hold();
  ASSERT_TRUE(Send({Numbered(1, LogOnOf("alice", "s3cret"))}));
  f_.validator->WaitForHeld(1);
  context_.TryCancel();
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::CANCELLED);
  while (f_.in_flight.count() > 0) std::this_thread::yield();
  f_.validator->Release();
}

TEST_F(StreamTest, AMessageThatIsNoneEndsIt) {
  Open();
  v1::NumberedRequest bad = Numbered(1, LogOnOf("\xff", "s3cret"));
  ASSERT_TRUE(Send({bad}));
  const grpc::Status status = stream_->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(PartsOf(status).field, "requests[0].request.password.username");
}

TEST_F(StreamTest, TooManyRequestsInAMessageEndIt) {
  Open();
  std::vector<v1::NumberedRequest> requests(4097, Numbered(1, LogOnOf("alice", "s3cret")));
  ASSERT_TRUE(Send(requests));
  EXPECT_EQ(PartsOf(stream_->Finish()).field, "requests");
}

TEST_F(StreamTest, PermissionsAreCheckedForEachMessage) {
  TemporaryFolder folder;
  f_.listen.unix_sockets = {{.path = folder.File("s"), .caller = "front"}};
  CallerConfig front{.name = "front", .allow = {Permission::kAuthenticate}, .audiences = {"front"}};
  f_.SetCallers({{front}});
  f_.Start();
  f_.stub = f_.Connect("unix:" + folder.File("s"), grpc::InsecureChannelCredentials());
  Open();
  ASSERT_TRUE(Send({Numbered(1, LogOnOf("alice", "s3cret"))}));
  EXPECT_TRUE(Receive(1).at(1).has_response());
  front.realms = {"other.example"};
  f_.SetCallers({{front}});
  ASSERT_TRUE(Send({Numbered(2, LogOnOf("alice", "s3cret"))}));
  EXPECT_EQ(PartsOf(Receive(1).at(2).error()).reason, "REALM_NOT_ALLOWED");
  front.name = "another";
  f_.SetCallers({{front}});
  ASSERT_TRUE(Send({Numbered(3, LogOnOf("alice", "s3cret"))}));
  EXPECT_EQ(stream_->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

}  // namespace
}  // namespace credcache
