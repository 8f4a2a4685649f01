#include "load/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace credcache::load {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(HistogramTest, AnEmptyOneIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), 0);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.Percentile(0.5), 0);
  EXPECT_TRUE(histogram.Buckets().empty());
}

TEST(HistogramTest, SmallValuesAreExact) {
  Histogram histogram;
  for (uint64_t value = 1; value <= 200; ++value) histogram.Record(value);
  EXPECT_EQ(histogram.Percentile(0), 1);
  EXPECT_EQ(histogram.Percentile(0.5), 100);
  EXPECT_EQ(histogram.Percentile(0.99), 198);
  EXPECT_EQ(histogram.Percentile(1), 200);
  EXPECT_EQ(histogram.mean(), 100.5);
}

TEST(HistogramTest, PercentilesAreWithinOnePercentOfTheExactOnes) {
  Histogram histogram;
  std::vector<uint64_t> values;
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> microseconds(5, 2);
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<uint64_t>(microseconds(random) * 1000));
    histogram.Record(values.back());
  }
  std::sort(values.begin(), values.end());
  EXPECT_EQ(histogram.min(), values.front());
  EXPECT_EQ(histogram.max(), values.back());
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto found = static_cast<double>(histogram.Percentile(share));
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found, exact * 1.01) << share;
  }
}

TEST(HistogramTest, BucketsHoldWhatIsUpToTheirBound) {
  Histogram histogram;
  histogram.Record(255);
  histogram.Record(256);
  histogram.Record(257);
  histogram.Record(258, 5);
  EXPECT_THAT(histogram.Buckets(), ElementsAre(Pair(255, 1), Pair(257, 2), Pair(259, 5)));
}

TEST(HistogramTest, TakesTheLargestValueThereIs) {
  Histogram histogram;
  histogram.Record(UINT64_MAX);
  EXPECT_EQ(histogram.Percentile(0.5), UINT64_MAX);
}

}  // namespace
}  // namespace credcache::load
