#include "cli/stats_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace credcache::cli {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

void AddMisses(v1::CacheStats& cache, v1::MissReason reason, uint64_t count) {
  auto& miss = *cache.add_misses();
  miss.set_reason(reason);
  miss.set_count(count);
}

StatsSample Sample(absl::Time at, uint64_t hits, uint64_t misses) {
  StatsSample sample;
  sample.at = at;
  auto& replica = *sample.stats.mutable_replica();
  replica.set_name("mail-1");
  replica.set_version("0.1.0");
  replica.set_revision(17);
  replica.set_lease_state(v1::ReplicaStats::LEASE_STATE_NOT_NEEDED);
  replica.mutable_started_at()->set_seconds(absl::ToUnixSeconds(kNow - absl::Minutes(123)));
  auto& cache = *sample.stats.mutable_cache();
  cache.set_entries(812345);
  cache.set_max_entries(1000000);
  cache.set_bytes(uint64_t{192} << 20);
  cache.set_buckets(256);
  cache.set_hits(hits);
  AddMisses(cache, v1::MISS_REASON_ABSENT, misses);
  return sample;
}

TEST(RatesTest, AreTheGrowthOverTheTime) {
  const StatsSample now = Sample(kNow, 130, 10);
  const auto rates = Rates::Between(Sample(kNow - absl::Seconds(2), 100, 10), now);
  ASSERT_TRUE(rates.has_value());
  EXPECT_DOUBLE_EQ(rates->PerSecond(100, 130), 15);
  EXPECT_DOUBLE_EQ(rates->PerSecond(130, 100), 0);
}

TEST(RatesTest, ThereAreNoneAtFirstNorAcrossARestart) {
  const StatsSample now = Sample(kNow, 130, 10);
  EXPECT_FALSE(Rates::Between(std::nullopt, now).has_value());
  EXPECT_FALSE(Rates::Between(now, now).has_value());
  StatsSample before = Sample(kNow - absl::Seconds(2), 100, 10);
  before.stats.mutable_replica()->mutable_started_at()->set_seconds(1);
  EXPECT_FALSE(Rates::Between(before, now).has_value());
  before = Sample(kNow - absl::Seconds(2), 100, 10);
  before.stats.mutable_replica()->set_name("mail-2");
  EXPECT_FALSE(Rates::Between(before, now).has_value());
}

TEST(HitRatioTest, CountsNegativeHitsToo) {
  v1::CacheStats cache;
  EXPECT_FALSE(HitRatio({}, cache).has_value());
  cache.set_hits(2);
  cache.set_negative_hits(1);
  AddMisses(cache, v1::MISS_REASON_AGE, 1);
  EXPECT_DOUBLE_EQ(*HitRatio({}, cache), 0.75);
}

TEST(HitRatioTest, BetweenTwoSamplesIsThatOfTheTimeBetween) {
  const StatsSample before = Sample(kNow - absl::Seconds(1), 100, 100);
  const StatsSample now = Sample(kNow, 109, 101);
  EXPECT_DOUBLE_EQ(*HitRatio(before.stats.cache(), now.stats.cache()), 0.9);
}

TEST(StatsTableTest, OnceShowsTotals) {
  EXPECT_EQ(RenderStats(Sample(kNow, 9000, 1000), std::nullopt),
            "mail-1  version 0.1.0  up 2h3m  revision 17  lease not needed\n"
            "\n"
            "CACHE\n"
            "entries             812,345\n"
            "negative entries          0\n"
            "at most           1,000,000\n"
            "memory            192.0 MiB\n"
            "buckets                 256\n"
            "hits                  9,000\n"
            "negative hits             0\n"
            "misses                1,000\n"
            "  absent              1,000\n"
            "coalesced                 0\n"
            "stale                     0\n"
            "evictions                 0\n"
            "refreshes                 0\n"
            "invalidations             0\n"
            "hit ratio            90.0 %\n");
}

TEST(StatsTableTest, WatchedShowsRatesAndTheRatioOfTheInterval) {
  const std::string text = RenderStats(Sample(kNow, 9045, 1005), Sample(kNow - absl::Seconds(2), 9000, 1000));
  EXPECT_THAT(text, HasSubstr("CACHE                 TOTAL  PER SECOND\n"));
  EXPECT_THAT(text, HasSubstr("hits                  9,045        22/s\n"));
  EXPECT_THAT(text, HasSubstr("  absent              1,005       2.5/s\n"));
  EXPECT_THAT(text, HasSubstr("entries             812,345\n"));
  EXPECT_THAT(text, HasSubstr("hit ratio            90.0 %      90.0 %\n"));
}

TEST(StatsTableTest, ACacheThatIsOffSaysSo) {
  StatsSample sample = Sample(kNow, 0, 0);
  sample.stats.mutable_cache()->set_buckets(0);
  EXPECT_THAT(RenderStats(sample, std::nullopt), HasSubstr("0 (off)"));
}

TEST(StatsTableTest, BackendsRealmsAndBucketsHaveTables) {
  StatsSample before = Sample(kNow - absl::Seconds(1), 0, 0);
  auto& backend = *before.stats.add_backends();
  backend.set_realm("corp.example");
  backend.set_backend("ldap");
  backend.set_state(v1::BackendStats::STATE_UP);
  backend.set_requests(100);
  backend.mutable_latency_median()->set_nanos(1'500'000);
  before.stats.add_realms()->set_realm("corp.example");
  auto& bucket = *before.stats.add_buckets();
  bucket.set_bucket(3);
  bucket.set_entries(12);
  StatsSample now = before;
  now.at = kNow;
  now.stats.mutable_backends(0)->set_requests(140);
  now.stats.mutable_backends(0)->set_state(v1::BackendStats::STATE_DOWN);
  now.stats.mutable_realms(0)->set_hits(30);
  now.stats.mutable_realms(0)->add_misses()->set_count(10);
  const std::string text = RenderStats(now, before);
  EXPECT_THAT(text, HasSubstr("BACKEND  REALM         STATE  IN FLIGHT  REQUESTS  ERRORS  MEDIAN  P99  REQUESTS/S\n"
                              "ldap     corp.example  down           0       140       0   1.5ms    -        40/s\n"));
  EXPECT_THAT(text,
              HasSubstr("corp.example        0         0    30              0      10          0      0     75.0 %"
                        "        40/s\n"));
  EXPECT_THAT(text, HasSubstr("BUCKET  ENTRIES  NEGATIVE  EVICTIONS\n"
                              "     3       12         0          0\n"));
}

TEST(StatsTableTest, NamesFromTheServerCannotDriveTheTerminal) {
  StatsSample sample = Sample(kNow, 0, 0);
  sample.stats.add_realms()->set_realm("\x1b[2J");
  EXPECT_THAT(RenderStats(sample, std::nullopt), HasSubstr("\\x1b[2J"));
}

}  // namespace
}  // namespace credcache::cli
