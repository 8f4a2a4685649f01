#include "load/request_writer.h"

#include <gtest/gtest.h>

#include "credcache/v1/authenticate.pb.h"
#include "credcache/v1/invalidate.pb.h"
#include "load/message_reader.h"

namespace credcache::load {
namespace {

void ExpectLogOn(const v1::AuthenticateRequest& request, const char* username, const char* password) {
  EXPECT_EQ(request.password().realm(), "corp.example");
  EXPECT_EQ(request.password().username(), username);
  EXPECT_EQ(request.password().password(), password);
  EXPECT_EQ(request.context().protocol(), "imap");
  EXPECT_EQ(request.context().client_address(), "192.0.2.17");
}

TEST(RequestWriterTest, WritesUnaryRequests) {
  const RequestWriter writer("corp.example");
  v1::AuthenticateRequest request;
  ASSERT_TRUE(Parse(writer.Unary({Kind::kHit, 42}), &request));
  ExpectLogOn(request, "user-0000042.example", "secret-0000042-word");
  ASSERT_TRUE(Parse(writer.Unary({Kind::kWrong, 43}), &request));
  ExpectLogOn(request, "user-0000043.example", "wrong!-0000043-word");
  ASSERT_TRUE(Parse(writer.Unary({Kind::kMiss, 5'000'000}), &request));
  ExpectLogOn(request, "user-5000000.example", "secret-5000000-word");
}

TEST(RequestWriterTest, WritesBatches) {
  const RequestWriter writer("corp.example");
  v1::BatchAuthenticateRequest batch;
  ASSERT_TRUE(Parse(writer.Batch({{Kind::kHit, 1}, {Kind::kWrong, 2}}), &batch));
  ASSERT_EQ(batch.requests_size(), 2);
  ExpectLogOn(batch.requests(0), "user-0000001.example", "secret-0000001-word");
  ExpectLogOn(batch.requests(1), "user-0000002.example", "wrong!-0000002-word");
}

TEST(RequestWriterTest, WritesMessagesOfAStreamWithNumbersOfAnyLength) {
  const RequestWriter writer("corp.example");
  v1::AuthenticateStreamRequest message;
  const NumberedLogOn log_ons[] = {{0, {Kind::kHit, 1}}, {300, {Kind::kHit, 2}}, {UINT64_MAX, {Kind::kHit, 3}}};
  ASSERT_TRUE(Parse(writer.Stream(log_ons), &message));
  ASSERT_EQ(message.requests_size(), 3);
  EXPECT_EQ(message.requests(0).id(), 0);
  EXPECT_EQ(message.requests(1).id(), 300);
  EXPECT_EQ(message.requests(2).id(), UINT64_MAX);
  ExpectLogOn(message.requests(2).request(), "user-0000003.example", "secret-0000003-word");
}

TEST(RequestWriterTest, ARealmOfAnyLengthMayLookLikeAName) {
  for (const std::string& realm : {std::string("user-0000000.example"), std::string(200, 'r'), std::string()}) {
    const RequestWriter writer(realm);
    v1::BatchAuthenticateRequest batch;
    ASSERT_TRUE(Parse(writer.Batch({{Kind::kHit, 7}}), &batch));
    EXPECT_EQ(batch.requests(0).password().realm(), realm);
    EXPECT_EQ(batch.requests(0).password().username(), "user-0000007.example");
  }
}

TEST(RequestWriterTest, WritesInvalidations) {
  v1::InvalidateRequest request;
  ASSERT_TRUE(Parse(RequestWriter("corp.example").Invalidate(9), &request));
  EXPECT_EQ(request.user().realm(), "corp.example");
  EXPECT_EQ(request.user().username(), "user-0000009.example");
}

}  // namespace
}  // namespace credcache::load
