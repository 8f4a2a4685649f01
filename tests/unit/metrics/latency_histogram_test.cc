#include "metrics/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace credcache {
namespace {

LatencyHistogram::Reading ReadingOf(absl::Duration duration) {
  LatencyHistogram histogram;
  histogram.Observe(duration);
  LatencyHistogram::Reading reading;
  reading.Add(histogram);
  return reading;
}

TEST(LatencyHistogramTest, TheBoundsGoUp) { EXPECT_TRUE(std::is_sorted(kLatencyBounds.begin(), kLatencyBounds.end())); }

TEST(LatencyHistogramTest, ABoundBelongsToItsBucket) {
  EXPECT_EQ(ReadingOf(absl::Microseconds(1)).buckets[0], 1u);
  EXPECT_EQ(ReadingOf(absl::Nanoseconds(1001)).buckets[1], 1u);
  EXPECT_EQ(ReadingOf(absl::Seconds(10)).buckets[21], 1u);
}

TEST(LatencyHistogramTest, WhatIsLongerThanTheLastBoundIsCountedBeyondIt) {
  EXPECT_EQ(ReadingOf(absl::Seconds(10) + absl::Nanoseconds(1)).buckets[22], 1u);
  EXPECT_EQ(ReadingOf(absl::Hours(1)).buckets[22], 1u);
}

TEST(LatencyHistogramTest, ANegativeDurationCountsAsZero) {
  const LatencyHistogram::Reading reading = ReadingOf(absl::Seconds(-1));
  EXPECT_EQ(reading.buckets[0], 1u);
  EXPECT_EQ(reading.sum_nanoseconds, 0u);
}

TEST(LatencyHistogramTest, ReadingsAddUp) {
  LatencyHistogram a;
  LatencyHistogram b;
  a.Observe(absl::Microseconds(2));
  b.Observe(absl::Microseconds(2));
  b.Observe(absl::Milliseconds(2));
  LatencyHistogram::Reading reading;
  reading.Add(a);
  reading.Add(b);
  EXPECT_EQ(reading.Total(), 3u);
  EXPECT_EQ(reading.buckets[1], 2u);
  EXPECT_EQ(reading.sum_nanoseconds, 2'004'000u);
}

}  // namespace
}  // namespace credcache
