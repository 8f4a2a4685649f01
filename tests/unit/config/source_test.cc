#include "config/source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace credcache {
namespace {

TEST(ConfigSourceTest, SortsMistakesByLine) {
  ConfigSource source("f");
  source.Place("b", 7, "\"2\"");
  source.Place("a", 3, "\"1\"");
  source.Fail("b", "three");
  source.Fail("a", "two");
  EXPECT_EQ(source.status().message(), "f:3: a: got \"1\", expected two\nf:7: b: got \"2\", expected three");
}

TEST(ConfigSourceTest, ReportsNothingThatFollows) {
  ConfigSource source("f");
  source.Place("a", 3, "a list");
  source.Fail("a", "a section");
  source.StartChecks();
  source.Fail("a", "more");
  source.Fail("a.b", "something");
  EXPECT_EQ(source.status().message(), "f:3: a: got a list, expected a section");
  EXPECT_TRUE(source.IsBad("a[0].b"));
  EXPECT_FALSE(source.IsBad("b"));
}

TEST(ConfigSourceTest, PlacesWhatIsMissingAtTheSectionAroundIt) {
  ConfigSource source("f");
  source.Place("a", 3, "a list");
  source.Place("a[0]", 4, "a section");
  EXPECT_EQ(source.Line("a[0].b.c"), 4);
  EXPECT_EQ(source.Line("a[1].b"), 3);
  EXPECT_EQ(source.Line("z"), 1);
}

TEST(ConfigSourceTest, StopsAtAHundred) {
  ConfigSource source("f");
  for (int i = 0; i < 103; ++i) source.Fail(Item("a", i), "nothing");
  const std::string message(source.status().message());
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 100);
  EXPECT_EQ(message.substr(message.rfind('\n')), "\nf: and 3 more");
}

TEST(QuotedTest, KeepsALineALine) {
  EXPECT_EQ(Quoted("a\nb\tc\x1b[31m"), R"("a\nb\tc\x1b[31m")");
  EXPECT_EQ(Quoted("say \"hi\" \\"), R"("say \"hi\" \\")");
  EXPECT_EQ(Quoted("Größe"), "\"Größe\"");
  EXPECT_EQ(Quoted("a\xe2\x80\xae"
                   "b"),
            R"("a\u202eb")");
  EXPECT_EQ(Quoted("\xff"), R"("\xff")");
  EXPECT_EQ(Quoted(std::string(200, 'a')), "\"" + std::string(80, 'a') + "...\"");
}

}  // namespace
}  // namespace credcache
