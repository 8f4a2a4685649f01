#include "config/duration.h"

#include <gtest/gtest.h>

namespace credcache {
namespace {

TEST(DurationTest, ReadsANumberAndAUnit) {
  EXPECT_EQ(ParseDuration("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(ParseDuration("30s"), absl::Seconds(30));
  EXPECT_EQ(ParseDuration("120m"), absl::Minutes(120));
  EXPECT_EQ(ParseDuration("2h"), absl::Hours(2));
  EXPECT_EQ(ParseDuration("0s"), absl::ZeroDuration());
  EXPECT_EQ(ParseDuration("999999999h"), absl::Hours(999'999'999));
}

TEST(DurationTest, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "0", "30", "s", "-5s", "+5s", "1.5s", "5 s", " 5s", "5s ", "5S", "5d", "1h30m", "5sec",
                           "1e3s", "0x5s", "9999999999s", "inf"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(DurationTest, WritesTheLargestExactUnit) {
  EXPECT_EQ(DurationText(absl::Minutes(120)), "2h");
  EXPECT_EQ(DurationText(absl::Minutes(90)), "90m");
  EXPECT_EQ(DurationText(absl::Seconds(61)), "61s");
  EXPECT_EQ(DurationText(absl::Milliseconds(1500)), "1500ms");
  EXPECT_EQ(DurationText(absl::ZeroDuration()), "0s");
}

}  // namespace
}  // namespace credcache
