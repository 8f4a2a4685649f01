#include "rpc/codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "rpc/convert.h"
#include "rpc/rpc_fixture.h"
#include "rpc/status.h"

namespace credcache {
namespace {

grpc::ByteBuffer Bytes(const std::vector<std::string>& pieces) {
  std::vector<grpc::Slice> slices(pieces.begin(), pieces.end());
  return {slices.data(), slices.size()};
}

std::string Content(const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(bytes.Dump(&slices).ok());
  std::string content;
  for (const grpc::Slice& slice : slices) content.append(slice.begin(), slice.end());
  return content;
}

const std::string kPassword = "a password that is longer than any inlined slice or string";

TEST(CodecTest, WhatIsParsedIsWipedWhereItStood) {
  const std::string wire = LogOnOf("alice", kPassword).SerializeAsString();
  for (const std::vector<std::string>& pieces :
       {std::vector<std::string>{wire}, {wire.substr(0, 40), wire.substr(40)}}) {
    const grpc::ByteBuffer bytes = Bytes(pieces);
    v1::AuthenticateRequest request;
    ASSERT_TRUE(ParseAndWipe(bytes, &request).ok());
    EXPECT_EQ(request.password().password(), kPassword);
    EXPECT_EQ(Content(bytes), std::string(wire.size(), '\0'));
  }
}

TEST(CodecTest, WhatDoesNotParseIsWipedToo) {
  const grpc::ByteBuffer bytes = Bytes({"\xff" + kPassword});
  v1::AuthenticateRequest request;
  EXPECT_EQ(ReasonOf(ParseAndWipe(bytes, &request)), ErrorReason::kInvalidMessage);
  EXPECT_EQ(Content(bytes), std::string(kPassword.size() + 1, '\0'));
}

TEST(CodecTest, NoBytesAreAnEmptyMessage) {
  v1::AuthenticateRequest request;
  EXPECT_TRUE(ParseAndWipe(Bytes({}), &request).ok());
  EXPECT_TRUE(ParseAndWipe(Bytes({""}), &request).ok());
}

TEST(CodecTest, AMessageSurvivesTheWay) {
  v1::AuthenticateRequest request;
  ASSERT_TRUE(ParseAndWipe(Serialize(LogOnOf("alice", kPassword)), &request).ok());
  EXPECT_EQ(request.SerializeAsString(), LogOnOf("alice", kPassword).SerializeAsString());
}

TEST(CodecTest, AStringThatIsNotUtf8IsNamedByItsPath) {
  v1::BatchAuthenticateRequest batch;
  *batch.add_requests() = LogOnOf("alice", "\xff");  // bytes may be anything
  *batch.add_requests() = LogOnOf("alice", "s3cret");
  batch.mutable_requests(1)->mutable_context()->set_audience("\xc0\x80");
  v1::BatchAuthenticateRequest parsed;
  const absl::Status status = ParseAndWipe(Bytes({batch.SerializeAsString()}), &parsed);
  EXPECT_EQ(ReasonOf(status), ErrorReason::kInvalidField);
  EXPECT_EQ(status.message(), "requests[1].context.audience is not valid UTF-8");
}

TEST(CodecTest, PasswordsAreOverwrittenInPlace) {
  v1::AuthenticateRequest request = LogOnOf("alice", kPassword);
  const std::string& password = request.password().password();
  WipePasswords(&request);
  EXPECT_EQ(password, std::string(kPassword.size(), '\0'));

  v1::BatchAuthenticateRequest batch;
  *batch.add_requests() = LogOnOf("alice", kPassword);
  batch.add_requests();
  v1::AuthenticateStreamRequest stream;
  *stream.add_requests()->mutable_request() = LogOnOf("alice", kPassword);
  stream.add_requests();
  WipePasswords(&batch);
  WipePasswords(&stream);
  EXPECT_EQ(batch.requests(0).password().password(), std::string(kPassword.size(), '\0'));
  EXPECT_EQ(stream.requests(0).request().password().password(), std::string(kPassword.size(), '\0'));
}

}  // namespace
}  // namespace credcache
