#include "rpc/result_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "credcache/v1/authenticate.pb.h"
#include "rpc/codec.h"

namespace credcache {
namespace {

v1::NumberedResult ResultOf(uint64_t id, const std::string& username) {
  v1::NumberedResult result;
  result.set_id(id);
  result.mutable_result()->mutable_response()->mutable_identity()->set_username(username);
  return result;
}

v1::AuthenticateStreamResponse Parsed(ResultWriter& writer) {
  v1::AuthenticateStreamResponse message;
  EXPECT_TRUE(ParseAndWipe(writer.Take(), &message).ok());
  return message;
}

TEST(ResultWriterTest, WritesWhatTheWholeMessageWouldBe) {
  v1::AuthenticateStreamResponse whole;
  ResultWriter writer;
  // Lengths of one, two and three bytes.
  for (const size_t size : {0, 1, 127, 128, 300, 20'000}) {
    const v1::NumberedResult result = ResultOf(size, std::string(size, 'x'));
    *whole.add_results() = result;
    writer.Append(result);
  }
  EXPECT_EQ(writer.bytes(), whole.SerializeAsString());
  EXPECT_EQ(Parsed(writer).SerializeAsString(), whole.SerializeAsString());
}

TEST(ResultWriterTest, IsEmptyWhenTaken) {
  ResultWriter writer;
  writer.Append(ResultOf(1, "alice"));
  EXPECT_EQ(Parsed(writer).results_size(), 1);
  EXPECT_EQ(writer.size(), 0);
  writer.Append(ResultOf(2, "bob"));
  const v1::AuthenticateStreamResponse second = Parsed(writer);
  ASSERT_EQ(second.results_size(), 1);
  EXPECT_EQ(second.results(0).id(), 2);
}

TEST(ResultWriterTest, AResultCanBePutElsewhere) {
  ResultWriter writer;
  writer.Append(ResultOf(1, "alice"));
  const ResultWriter::Span bob = writer.Append(ResultOf(2, "bob"));
  ResultWriter other;
  other.Append(writer.At(bob));
  const v1::AuthenticateStreamResponse message = Parsed(other);
  ASSERT_EQ(message.results_size(), 1);
  EXPECT_EQ(message.results(0).result().response().identity().username(), "bob");
}

}  // namespace
}  // namespace credcache
