#include "peers/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/string_view.h"

namespace credcache::peers {
namespace {

using ::testing::HasSubstr;

// --- saslauthd ------------------------------------------------------------------------------------------------------

TEST(SaslauthdCodecTest, EachFieldFollowsItsLength) {
  std::string bytes;
  AppendSaslauthdRequest("alice", "secret", "imap", "corp.example", &bytes);
  EXPECT_EQ(bytes, absl::string_view("\0\5alice\0\6secret\0\4imap\0\14corp.example", 35));
}

TEST(SaslauthdCodecTest, ALengthHasTwoBytes) {
  std::string bytes;
  AppendSaslauthdRequest(std::string(258, 'x'), "", "", "", &bytes);
  EXPECT_EQ(bytes.substr(0, 3), absl::string_view("\1\2x", 3));
}

TEST(SaslauthdCodecTest, OkIsAcceptedAndNoIsNot) {
  EXPECT_TRUE(*ReadSaslauthdReply(absl::string_view("\0\2OK", 4)));
  EXPECT_FALSE(*ReadSaslauthdReply(absl::string_view("\0\2NO", 4)));
  EXPECT_FALSE(*ReadSaslauthdReply(absl::string_view("\0\12NO a reason", 13)));
}

TEST(SaslauthdCodecTest, NoReplyIsNoVerdict) {
  EXPECT_TRUE(absl::IsUnavailable(ReadSaslauthdReply("").status()));
  EXPECT_TRUE(absl::IsUnavailable(ReadSaslauthdReply(absl::string_view("\0\2O", 3)).status()));
}

TEST(SaslauthdCodecTest, AnotherWordIsNoVerdict) {
  EXPECT_TRUE(absl::IsInternal(ReadSaslauthdReply(absl::string_view("\0\5MAYBE", 7)).status()));
}

// --- Dovecot --------------------------------------------------------------------------------------------------------

TEST(DovecotCodecTest, ARequestIsOneLineThatEndsWithTheCredentials) {
  std::string bytes;
  AppendDovecotRequest(7, "imap", "alice", "secret", &bytes);
  EXPECT_EQ(bytes, "AUTH\t7\tPLAIN\tservice=imap\tnologin\tsecured\tresp=AGFsaWNlAHNlY3JldA==\n");
}

TEST(DovecotCodecTest, TheHandshakeNamesTheClient) {
  std::string bytes;
  AppendDovecotHandshake(42, &bytes);
  EXPECT_EQ(bytes, "VERSION\t1\t1\nCPID\t42\n");
}

TEST(DovecotCodecTest, OnlyWholeLinesAreTaken) {
  absl::string_view bytes = "OK\t1\nFAIL\t2";
  EXPECT_EQ(TakeLine(&bytes), "OK\t1");
  EXPECT_EQ(TakeLine(&bytes), std::nullopt);
  EXPECT_EQ(bytes, "FAIL\t2");
}

TEST(DovecotCodecTest, AnswersCarryTheirIds) {
  const auto ok = ReadDovecotLine("OK\t3\tuser=alice");
  EXPECT_EQ(ok->kind, DovecotReply::Kind::kOk);
  EXPECT_EQ(ok->id, 3u);
  const auto fail = ReadDovecotLine("FAIL\t4\tuser=alice");
  EXPECT_EQ(fail->kind, DovecotReply::Kind::kFail);
  EXPECT_EQ(fail->id, 4u);
}

TEST(DovecotCodecTest, TheGreetingEndsWithDone) {
  for (const char* line : {"VERSION\t1\t2", "MECH\tPLAIN\tplaintext", "SPID\t12", "CUID\t1", "COOKIE\tab"}) {
    EXPECT_EQ(ReadDovecotLine(line)->kind, DovecotReply::Kind::kOther) << line;
  }
  EXPECT_EQ(ReadDovecotLine("DONE")->kind, DovecotReply::Kind::kDone);
}

TEST(DovecotCodecTest, ATemporaryFailureIsNoVerdict) {
  EXPECT_TRUE(absl::IsUnavailable(ReadDovecotLine("FAIL\t4\tuser=alice\tcode=temp_fail").status()));
  EXPECT_TRUE(absl::IsUnavailable(ReadDovecotLine("FAIL\t4\ttemp").status()));
}

TEST(DovecotCodecTest, WhatIsMalformedIsAnError) {
  for (const char* line : {"OK", "OK\tx", "FAIL\t-1", "VERSION", "VERSION\tx\t2", "VERSION\t2\t0"}) {
    EXPECT_TRUE(absl::IsInternal(ReadDovecotLine(line).status())) << line;
  }
}

// --- HTTP -----------------------------------------------------------------------------------------------------------

TEST(HttpCodecTest, ARequestCarriesBasicCredentials) {
  std::string bytes;
  AppendHttpRequest("/x", "localhost", "alice", "secret", &bytes);
  EXPECT_THAT(bytes, HasSubstr("GET /x HTTP/1.1\r\nHost: localhost\r\n"));
  EXPECT_THAT(bytes, HasSubstr("\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\n\r\n"));
}

TEST(HttpCodecTest, AResponseIsTakenWithItsBodyAndNothingBehindIt) {
  absl::string_view bytes = "HTTP/1.1 200 OK\r\nCONTENT-LENGTH: 3\r\n\r\nabcHTTP/1.1 401";
  EXPECT_EQ(**TakeHttpResponse(&bytes), 200);
  EXPECT_EQ(bytes, "HTTP/1.1 401");
}

TEST(HttpCodecTest, HalfAResponseIsNotTaken) {
  for (absl::string_view whole = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nabc"; whole.size() > 1;) {
    whole.remove_suffix(1);
    absl::string_view bytes = whole;
    const auto code = TakeHttpResponse(&bytes);
    ASSERT_TRUE(code.ok()) << whole;
    EXPECT_EQ(*code, std::nullopt);
    EXPECT_EQ(bytes, whole);
  }
}

TEST(HttpCodecTest, ANoContentNeedsNoLength) {
  absl::string_view bytes = "HTTP/1.1 204 No Content\r\n\r\n";
  EXPECT_EQ(**TakeHttpResponse(&bytes), 204);
  EXPECT_TRUE(bytes.empty());
}

TEST(HttpCodecTest, WhatIsNoResponseIsAnError) {
  for (absl::string_view bytes :
       {"220 mail ESMTP\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 x\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    EXPECT_TRUE(absl::IsInternal(TakeHttpResponse(&bytes).status())) << bytes;
  }
}

TEST(HttpCodecTest, AHeadWithoutEndIsAnError) {
  const std::string endless(100'000, 'x');
  absl::string_view bytes = endless;
  EXPECT_TRUE(absl::IsInternal(TakeHttpResponse(&bytes).status()));
}

}  // namespace
}  // namespace credcache::peers
