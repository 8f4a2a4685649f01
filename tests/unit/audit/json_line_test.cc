#include "audit/json_line.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>

namespace credcache {
namespace {

const absl::Time kTime = absl::FromUnixMicros(1'800'000'000'000'042);

// The line with one text in it.
std::string LineOf(absl::string_view text, size_t max_text = 1024) {
  JsonLine line(kTime, "l", "info", "k", "m", max_text);
  line.Text("text", text);
  return std::move(line).Finish();
}
std::string TextOf(absl::string_view text, size_t max_text = 1024) {
  return nlohmann::json::parse(LineOf(text, max_text)).at("text").get<std::string>();
}

TEST(JsonLineTest, FieldsComeInTheirOrder) {
  JsonLine line(kTime, "audit", "info", "kind", "message", 100);
  line.Text("a", "x");
  line.Text("empty", "");
  line.Number("b", UINT64_MAX);
  line.Flag("c", true);
  line.Texts("d", {"1", "\""});
  line.Texts("none", {});
  line.Time("e", absl::FromUnixMicros(-1));
  EXPECT_EQ(std::move(line).Finish(),
            R"({"ts":"2027-01-15T08:00:00.000042Z","log":"audit","level":"info","kind":"kind","msg":"message",)"
            R"("a":"x","b":18446744073709551615,"c":true,"d":["1","\""],"e":"1969-12-31T23:59:59.999999Z"})");
}

TEST(JsonLineTest, TextComesBackAsItWas) {
  const std::string text("quote\" backslash\\ newline\n tab\t nul\0 delete\x7f c1\xc2\x9b é 漢 \xf0\x9f\x98\x80 /", 56);
  EXPECT_EQ(TextOf(text), text);
}

TEST(JsonLineTest, ControlsAreEscaped) {
  EXPECT_THAT(LineOf("\x01\x1b\x7f\xc2\x9b"), ::testing::HasSubstr(R"(\u0001\u001b\u007f\u009b)"));
}

TEST(JsonLineTest, WhatIsNotUtf8IsReplaced) {
  EXPECT_EQ(TextOf("a\xff\x62"), "a\xEF\xBF\xBD\x62");
  EXPECT_EQ(TextOf("\xc3"), "\xEF\xBF\xBD");
  EXPECT_EQ(TextOf("\xc0\xaf"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  EXPECT_EQ(TextOf("\xed\xa0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
}

TEST(JsonLineTest, ALongTextIsCutOffBetweenCharacters) {
  EXPECT_EQ(TextOf("abcdef", 6), "abcdef");
  EXPECT_EQ(TextOf("abcdefg", 6), "abcdef…");
  EXPECT_EQ(TextOf("abcdeé", 6), "abcde…");
  EXPECT_EQ(TextOf(std::string(100, '\x80'), 6), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD…");
}

// The parser refuses controls and what is not UTF-8.
TEST(JsonLineTest, AnyBytesMakeOneLineOfJson) {
  std::mt19937 random(20261122);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? 0x80 + random() % 0x80 : random() % 0x80);
    const std::string line = LineOf(text, 20);
    ASSERT_TRUE(nlohmann::json::accept(line)) << line;
    ASSERT_EQ(line.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace credcache
