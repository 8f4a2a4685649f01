#include "base/names.h"

#include <gtest/gtest.h>

#include <string>

namespace credcache {
namespace {

std::string Normalized(absl::string_view name, CaseRule rule = CaseRule::kFold) {
  const auto result = Username::Normalize(name, rule);
  return result.ok() ? std::string(result->view()) : "error: " + std::string(result.status().message());
}

TEST(UsernameTest, FoldsCaseUnlessTheRealmIsCaseSensitive) {
  EXPECT_EQ(Normalized("Alice.Smith"), "alice.smith");
  EXPECT_EQ(Normalized("Alice.Smith", CaseRule::kSensitive), "Alice.Smith");
  EXPECT_EQ(Normalized("STRASSE"), "strasse");
  EXPECT_EQ(Normalized("Straße"), "strasse");
  EXPECT_EQ(Normalized("ΣΊΣΥΦΟΣ"), Normalized("σίσυφος"));
}

TEST(UsernameTest, BringsUnicodeFormsToOne) {
  EXPECT_EQ(Normalized("re\xcc\x81mi"), "r\xc3\xa9mi");
  EXPECT_EQ(Normalized("r\xc3\xa9mi"), "r\xc3\xa9mi");
}

TEST(UsernameTest, KeepsWhatIsHostileOnlyToDirectories) { EXPECT_EQ(Normalized("*)(uid=*"), "*)(uid=*"); }

TEST(UsernameTest, RefusesWhatIsNoName) {
  EXPECT_EQ(Normalized(""), "error: is empty");
  EXPECT_EQ(Normalized(std::string("a\0b", 3)), "error: has a control or invisible character");
  EXPECT_EQ(Normalized("a\nb"), "error: has a control or invisible character");
  EXPECT_EQ(Normalized("a\x7f"), "error: has a control or invisible character");
  EXPECT_EQ(Normalized("a\xe2\x80\x8b"
                       "b"),
            "error: has a control or invisible character");
  EXPECT_EQ(Normalized("a\xe2\x80\xae"
                       "b"),
            "error: has a control or invisible character");
  EXPECT_EQ(Normalized(" a"), "error: has a leading or trailing space");
  EXPECT_EQ(Normalized("a "), "error: has a leading or trailing space");
  EXPECT_EQ(Normalized("\xc2\xa0"
                       "a"),
            "error: has a leading or trailing space");
  EXPECT_EQ(Normalized("a\xff"), "error: is not valid UTF-8");
  EXPECT_EQ(Normalized("\xed\xa0\x80"), "error: is not valid UTF-8");
  EXPECT_EQ(Normalized("\xc0\x80"), "error: is not valid UTF-8");
  EXPECT_EQ(Normalized(std::string(10'240, 'a')), "error: is longer than 256 bytes");
}

// Names go through in words of eight bytes: each byte at each place of one, and of one that is not full.
TEST(UsernameTest, TreatsEveryAsciiCharacterAlikeAtEveryPlace) {
  for (int c = 0; c < 0x80; ++c) {
    const char upper = static_cast<char>(c);
    const bool printable = c >= ' ' && c < 0x7f;
    const char folded = upper >= 'A' && upper <= 'Z' ? static_cast<char>(upper - 'A' + 'a') : upper;
    for (const size_t size : {2u, 8u, 13u, 16u}) {
      for (size_t at = 0; at < size; ++at) {
        std::string name(size, '@');
        std::string expected(size, '@');
        name[at] = upper;
        expected[at] = folded;
        const bool outer_space = c == ' ' && (at == 0 || at + 1 == size);
        const std::string got = Normalized(name);
        const std::string kept = Normalized(name, CaseRule::kSensitive);
        if (!printable) {
          EXPECT_EQ(got, "error: has a control or invisible character") << c << " at " << at;
        } else if (outer_space) {
          EXPECT_EQ(got, "error: has a leading or trailing space");
        } else {
          EXPECT_EQ(got, expected) << c << " at " << at;
          EXPECT_EQ(kept, name) << c << " at " << at;
        }
      }
    }
  }
}

TEST(UsernameTest, MeasuresBeforeAndAfterNormalisation) {
  EXPECT_EQ(Normalized(std::string(256, 'A')), std::string(256, 'a'));
  EXPECT_EQ(Normalized(std::string(257, 'a')), "error: is longer than 256 bytes");
  // U+0390 folds to three code points of two bytes each: 128 of them fit before, and not after.
  std::string growing;
  for (int i = 0; i < 128; ++i) growing += "\xce\x90";
  const std::string folded = Normalized(growing);
  EXPECT_TRUE(folded.size() <= 256 || folded == "error: is longer than 256 bytes after normalisation");
  // U+FDFA decomposes (compatibility) to 18 code points; canonically it stays, so nothing grows.
  EXPECT_EQ(Normalized("\xef\xb7\xba"), "\xef\xb7\xba");
}

}  // namespace
}  // namespace credcache
