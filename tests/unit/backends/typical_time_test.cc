#include "backends/typical_time.h"

#include <gtest/gtest.h>

#include <set>

namespace credcache {
namespace {

TEST(TypicalTimeTest, NothingIsKnownBeforeTheFirst) {
  SystemRandomness randomness;
  TypicalTime times(randomness);
  EXPECT_EQ(times.Draw(), absl::ZeroDuration());
  times.Learn(absl::Milliseconds(3));
  EXPECT_EQ(times.Draw(), absl::Milliseconds(3));
}

TEST(TypicalTimeTest, DrawsFromTheLastOnesAllOfThem) {
  SystemRandomness randomness;
  TypicalTime times(randomness);
  times.Learn(absl::Hours(1));
  for (size_t i = 0; i < TypicalTime::kRemembered; ++i) times.Learn(absl::Milliseconds(static_cast<int64_t>(i)));
  std::set<absl::Duration> drawn;
  for (int i = 0; i < 5'000; ++i) drawn.insert(times.Draw());
  EXPECT_EQ(drawn.size(), TypicalTime::kRemembered);
  EXPECT_EQ(drawn.count(absl::Hours(1)), 0u);
}

TEST(TypicalTimeTest, MedianIsOfTheLastOnes) {
  SystemRandomness randomness;
  TypicalTime times(randomness);
  EXPECT_EQ(times.Median(), absl::ZeroDuration());
  times.Learn(absl::Milliseconds(9));
  EXPECT_EQ(times.Median(), absl::Milliseconds(9));
  for (const int milliseconds : {1, 2, 3, 4}) times.Learn(absl::Milliseconds(milliseconds));
  EXPECT_EQ(times.Median(), absl::Milliseconds(3));
  for (size_t i = 0; i < TypicalTime::kRemembered; ++i) times.Learn(absl::Milliseconds(7));
  EXPECT_EQ(times.Median(), absl::Milliseconds(7));
}

}  // namespace
}  // namespace credcache
