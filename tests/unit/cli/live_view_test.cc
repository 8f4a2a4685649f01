#include "cli/live_view.h"

#include <gtest/gtest.h>

#include <sstream>

namespace credcache::cli {
namespace {

TEST(LiveViewTest, DrawsFromTheTopAndWipesWhatWasThere) {
  EXPECT_EQ(Frame("a\nb\n", {10, 80}), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
}

TEST(LiveViewTest, ATextTooLongIsCutSoThatNothingScrolls) {
  EXPECT_EQ(Frame("1\n2\n3\n4\n", {4, 80}), "\x1b[H1\x1b[K\n2\x1b[K\n(2 more lines)\x1b[K\n\x1b[J");
}

TEST(LiveViewTest, ALineTooLongIsCutAtACodePoint) {
  EXPECT_EQ(Frame("\xc3\xb6\xc3\xb6\xc3\xb6\n", {4, 2}), "\x1b[H\xc3\xb6\xc3\xb6\x1b[K\n\x1b[J");
}

TEST(LiveViewTest, WithoutATerminalTextsFollowEachOther) {
  std::ostringstream out;
  LiveView view(out, -1);
  view.Show("a\n");
  view.Show("b\n");
  EXPECT_EQ(out.str(), "a\n\nb\n");
}

}  // namespace
}  // namespace credcache::cli
