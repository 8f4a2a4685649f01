#include "backends/remote_messages.h"

#include <gmock/gmock.h>
#include <grpcpp/support/slice.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "backends/remote_channel.h"
#include "backends/remote_status.h"
#include "base/limits.h"
#include "credcache/validator/v1/validator.pb.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

namespace v1 = validator::v1;

grpc::ByteBuffer Bytes(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}
grpc::ByteBuffer Bytes(const v1::WatchResponse& response) { return Bytes(response.SerializeAsString()); }

std::string Text(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;
  EXPECT_TRUE(bytes.DumpToSingleSlice(&slice).ok());
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

const Username kAlice = *Username::Normalize("alice", CaseRule::kFold);
const RemoteRules kRules = {.realm = "corp.example"};

TEST(RemoteMessagesTest, ARequestHoldsWhatIsAsked) {
  v1::ValidateRequest request;
  ASSERT_TRUE(request.ParseFromString(Text(ValidateRequestBytes("corp.example", kAlice, SecretView("s3cret")))));
  EXPECT_EQ(request.realm(), "corp.example");
  EXPECT_EQ(request.username(), "alice");
  EXPECT_EQ(request.password(), "s3cret");
}

TEST(RemoteMessagesTest, BytesThatAreNoMessageAreAnError) {
  for (const std::string& bytes : std::vector<std::string>{"\x08", "\x12\xff\xff\xff\xff\x0f", "garbage"}) {
    EXPECT_THAT(std::string(VerdictFrom(Bytes(bytes), kAlice, kRules).status().message()),
                HasSubstr("is no ValidateResponse"));
    EXPECT_THAT(std::string(AccountFrom(Bytes(bytes), kAlice, kRules).status().message()),
                HasSubstr("is no ResolveResponse"));
    const RemoteChanges changes = ChangesFrom(Bytes(bytes), CaseRule::kFold);
    EXPECT_TRUE(changes.everything);
    EXPECT_EQ(changes.mistake, "is no WatchResponse");
  }
}

TEST(RemoteMessagesTest, AMessageInPiecesIsRead) {
  v1::ValidateResponse response;
  response.set_decision(v1::DECISION_ACCEPTED);
  response.mutable_identity()->set_subject("id-7");
  const std::string bytes = response.SerializeAsString();
  const grpc::Slice slices[] = {grpc::Slice(bytes.substr(0, 3)), grpc::Slice(bytes.substr(3))};
  const auto verdict = VerdictFrom(grpc::ByteBuffer(slices, 2), kAlice, kRules);
  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_EQ(verdict->identity.subject(), "id-7");
}

TEST(RemoteMessagesTest, ChangedNamesAreNormalised) {
  v1::WatchResponse response;
  response.add_usernames("Alice");
  response.add_usernames("bob");
  const RemoteChanges changes = ChangesFrom(Bytes(response), CaseRule::kFold);
  EXPECT_THAT(changes.usernames, ElementsAre("alice", "bob"));
  EXPECT_FALSE(changes.everything);
  EXPECT_EQ(changes.weight, 2U);
  EXPECT_THAT(ChangesFrom(Bytes(response), CaseRule::kSensitive).usernames, ElementsAre("Alice", "bob"));
}

TEST(RemoteMessagesTest, ANameThatIsNoneMeansEverybody) {
  for (const std::string& name : std::vector<std::string>{"", " a", "a\n", "\xff", std::string(257, 'a')}) {
    v1::WatchResponse response;
    response.add_usernames(name);
    const RemoteChanges changes = ChangesFrom(Bytes(response), CaseRule::kFold);
    EXPECT_TRUE(changes.everything) << name;
    EXPECT_THAT(changes.mistake, Not(IsEmpty())) << name;
  }
}

TEST(RemoteMessagesTest, ManyOrLongNamesWeighMore) {
  v1::WatchResponse many;
  for (size_t i = 0; i <= kMaxRemoteNames; ++i) many.add_usernames("a");
  EXPECT_EQ(ChangesFrom(Bytes(many), CaseRule::kFold).weight, kMaxRemoteNames + 1);
  EXPECT_THAT(ChangesFrom(Bytes(many), CaseRule::kFold).usernames, IsEmpty());
  EXPECT_EQ(ChangesFrom(Bytes(std::string("\x0a\xff\xff\x03") + std::string(65535, 'a')), CaseRule::kFold).weight,
            65539 / kMaxUsernameSize);
}

TEST(RemoteMessagesTest, AHeartbeatIsKeptWithinReason) {
  const auto heartbeat = [](int64_t seconds, int32_t nanos) {
    v1::WatchResponse response;
    response.mutable_heartbeat()->set_seconds(seconds);
    response.mutable_heartbeat()->set_nanos(nanos);
    return *ChangesFrom(Bytes(response), CaseRule::kFold).heartbeat;
  };
  EXPECT_EQ(heartbeat(5, 500'000'000), absl::Milliseconds(5500));
  EXPECT_EQ(heartbeat(0, 0), absl::Milliseconds(100));
  EXPECT_EQ(heartbeat(-5, -5), absl::Milliseconds(100));
  EXPECT_EQ(heartbeat(std::numeric_limits<int64_t>::max(), 999'999'999), absl::Hours(1));
  EXPECT_EQ(ChangesFrom(Bytes(v1::WatchResponse()), CaseRule::kFold).heartbeat, std::nullopt);
}

TEST(RemoteMessagesTest, AnErrorIsShownInOneLineWithoutThePassword) {
  EXPECT_EQ(StatusText(grpc::Status(grpc::StatusCode::NOT_FOUND, "")), "NOT_FOUND");
  EXPECT_EQ(StatusText(grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone\r\nrémi")), "UNAVAILABLE: gone\\r\\nrémi");
  EXPECT_EQ(StatusText(grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone\n\xff")), "UNAVAILABLE: gone\\n\\xff");
  EXPECT_EQ(StatusText(grpc::Status(grpc::StatusCode::UNAVAILABLE, R"(a 'b' "c" \)")), R"(UNAVAILABLE: a 'b' "c" \\)");
  EXPECT_THAT(StatusText(grpc::Status(grpc::StatusCode::UNKNOWN, std::string(5000, 'a'))), SizeIs(9 + 300 + 3));
  EXPECT_EQ(StatusText(grpc::Status(grpc::StatusCode::UNKNOWN, "it is s3cret!"), SecretView("s3cret")),
            "UNKNOWN (its text is left out: it repeats the password)");
}

TEST(RemoteMessagesTest, AnAddressIsEscapedForGrpc) {
  EXPECT_EQ(RemoteTarget("unix:/run/plugin.sock"), "unix:/run/plugin.sock");
  EXPECT_EQ(RemoteTarget("unix:/r#n/pl %41?\xc3\xa9"), "unix:/r%23n/pl%20%2541%3f%c3%a9");
  EXPECT_EQ(RemoteTarget("127.0.0.1:50055"), "dns:///127.0.0.1:50055");
  EXPECT_EQ(RemoteTarget("[::1]:50055"), "dns:///[::1]:50055");
}

}  // namespace
}  // namespace credcache
