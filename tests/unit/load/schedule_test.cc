#include "load/schedule.h"

#include <gtest/gtest.h>

namespace credcache::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kBegin{seconds(1000)};

TEST(ScheduleTest, AreDueAtEvenIntervalsWheneverTheyAreTaken) {
  Schedule schedule(kBegin, 4);
  EXPECT_EQ(schedule.Take(), kBegin);
  EXPECT_EQ(schedule.due(), kBegin + milliseconds(250));
  EXPECT_EQ(schedule.Take(), kBegin + milliseconds(250));
  EXPECT_EQ(schedule.Take(), kBegin + milliseconds(500));
}

TEST(ScheduleTest, DoesNotDrift) {
  Schedule schedule(kBegin, 3000);
  for (int i = 0; i < 3000 * 60; ++i) schedule.Take();
  EXPECT_EQ(schedule.due(), kBegin + seconds(60));
}

TEST(ScheduleTest, CountsWhatWasDueAndNotTaken) {
  Schedule schedule(kBegin, 10);
  EXPECT_EQ(schedule.Missed(kBegin), 0);
  EXPECT_EQ(schedule.Missed(kBegin + milliseconds(1)), 1);
  EXPECT_EQ(schedule.Missed(kBegin + seconds(1)), 10);
  for (int i = 0; i < 7; ++i) schedule.Take();
  EXPECT_EQ(schedule.Missed(kBegin + seconds(1)), 3);
  EXPECT_EQ(schedule.Missed(kBegin + milliseconds(100)), 0);
}

}  // namespace
}  // namespace credcache::load
