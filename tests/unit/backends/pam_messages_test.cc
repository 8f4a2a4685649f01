#include "backends/pam_messages.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

// A frame's body, if its size is right.
absl::string_view BodyOf(absl::string_view frame, size_t most) {
  const auto size = PamBodySize(frame.substr(0, kPamFrameHeader), most);
  EXPECT_TRUE(size.ok()) << size.status();
  frame.remove_prefix(kPamFrameHeader);
  EXPECT_EQ(size.value_or(0), frame.size());
  return frame;
}

PamAnswer AnswerAfterTheWay(const PamAnswer& answer) {
  const std::string frame = EncodePamAnswer(answer);
  auto decoded = DecodePamAnswer(BodyOf(frame, kMaxPamAnswer));
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  return *std::move(decoded);
}

TEST(PamMessagesTest, AQuestionArrivesAsItWasAsked) {
  const std::string longest_name(kMaxUsernameSize, 'n');
  const std::string longest_password(kMaxPamPasswordSize, '\xff');
  for (const auto& [name, password] : {std::pair<std::string, std::string>{"alice", "s3cret"},
                                       {"o'brien (x) * %s", " \n\x01"},
                                       {longest_name, longest_password}}) {
    const Secret frame = EncodePamQuestion(0xfedcba98, name, SecretView(password));
    const auto question = DecodePamQuestion(SecretView(BodyOf(frame.view().Expose(), kMaxPamQuestion)));
    ASSERT_TRUE(question.ok()) << question.status();
    EXPECT_EQ(question->number, 0xfedcba98);
    EXPECT_EQ(question->name, name);
    EXPECT_TRUE(question->password.view() == SecretView(password));
  }
}

TEST(PamMessagesTest, WhatIsNoQuestionIsRefused) {
  const auto refused = [](absl::string_view body) { return !DecodePamQuestion(SecretView(body)).ok(); };
  const auto body = [](absl::string_view name, absl::string_view password) {
    const Secret frame = EncodePamQuestion(1, name, SecretView(password));
    return std::string(frame.view().Expose().substr(kPamFrameHeader));
  };
  const std::string good = body("alice", "s3cret");
  EXPECT_FALSE(refused(good));
  // Without a password's first byte, it has none.
  for (size_t size = 0; size <= good.size() - 6; ++size) EXPECT_TRUE(refused(good.substr(0, size))) << size;
  EXPECT_TRUE(refused(body("", "s3cret")));
  EXPECT_TRUE(refused(body("alice", "")));
  EXPECT_TRUE(refused(body(std::string(kMaxUsernameSize + 1, 'n'), "s3cret")));
  EXPECT_TRUE(refused(body("alice", std::string(kMaxPamPasswordSize + 1, 'p'))));
  // A stack would see what is before the NUL, and nothing else.
  EXPECT_TRUE(refused(body(absl::string_view("al\0ice", 6), "s3cret")));
  EXPECT_TRUE(refused(body("alice", absl::string_view("s3\0cret", 7))));
}

TEST(PamMessagesTest, AnAnswerArrivesAsItWasGiven) {
  const PamAnswer answer = {.number = 7,
                            .phase = PamPhase::kAccount,
                            .code = 0,
                            .user = "alice",
                            .uid = 0xfffffffe,
                            .groups = {"staff", "", "two words"}};
  const PamAnswer arrived = AnswerAfterTheWay(answer);
  EXPECT_EQ(arrived.number, answer.number);
  EXPECT_EQ(arrived.phase, answer.phase);
  EXPECT_EQ(arrived.code, answer.code);
  EXPECT_EQ(arrived.user, answer.user);
  EXPECT_EQ(arrived.uid, answer.uid);
  EXPECT_EQ(arrived.groups, answer.groups);

  const PamAnswer rejected = AnswerAfterTheWay({.number = 8, .phase = PamPhase::kAuthenticate, .code = -7});
  EXPECT_EQ(rejected.code, -7);
  EXPECT_EQ(rejected.uid, std::nullopt);
}

TEST(PamMessagesTest, AnAnswerThatIsTooLargeSaysSo) {
  PamAnswer groups = {.number = 9, .phase = PamPhase::kAccount, .user = "alice"};
  for (size_t i = 0; i < kMaxGroups; ++i) groups.groups.push_back(absl::StrCat("group-", i));
  EXPECT_EQ(AnswerAfterTheWay(groups).groups, groups.groups);
  groups.groups.emplace_back("one more");
  PamAnswer long_name = {.number = 9, .phase = PamPhase::kAccount, .user = std::string(0x10000, 'n')};
  PamAnswer large = {.number = 9, .phase = PamPhase::kAccount, .user = "alice"};
  for (size_t i = 0; i < 8; ++i) large.groups.emplace_back(kMaxIdentitySize / 8, 'g');
  EXPECT_EQ(AnswerAfterTheWay(large).groups, large.groups);
  large.groups.emplace_back(size_t{16} << 10, 'g');
  for (const PamAnswer& answer : {groups, long_name, large}) {
    const PamAnswer arrived = AnswerAfterTheWay(answer);
    EXPECT_EQ(arrived.number, 9U);
    EXPECT_EQ(arrived.phase, PamPhase::kIdentity);
    EXPECT_EQ(arrived.code, EMSGSIZE);
    EXPECT_EQ(arrived.user, "");
  }
}

TEST(PamMessagesTest, WhatIsNoAnswerIsRefused) {
  const std::string frame =
      EncodePamAnswer({.number = 1, .phase = PamPhase::kAccount, .user = "alice", .uid = 1, .groups = {"staff"}});
  const std::string good = frame.substr(kPamFrameHeader);
  EXPECT_TRUE(DecodePamAnswer(good).ok());
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(DecodePamAnswer(good.substr(0, size)).ok()) << size;
  EXPECT_FALSE(DecodePamAnswer(good + "x").ok());
  std::string bad = good;
  bad[4] = 5;  // no phase
  EXPECT_FALSE(DecodePamAnswer(bad).ok());
  EXPECT_FALSE(DecodePamAnswer("garbage, in place of an answer").ok());
}

TEST(PamMessagesTest, AFrameHasASizeWithinLimits) {
  const auto size_of = [](const std::string& header) { return PamBodySize(header, 0x102).value_or(0); };
  EXPECT_EQ(size_of({0, 0, 1, 2}), 0x102U);
  EXPECT_EQ(size_of({0, 0, 1, 3}), 0U);
  EXPECT_EQ(size_of({0, 0, 0, 0}), 0U);
  EXPECT_EQ(size_of({0, 0, 1}), 0U);
  EXPECT_FALSE(PamBodySize("text", kMaxPamAnswer).ok()) << "what a module may print is no size";
}

}  // namespace
}  // namespace credcache
