#include "metrics/metrics.h"

#include <gmock/gmock.h>

#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "prometheus/text_serializer.h"

namespace credcache {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Expose(const Metrics& metrics) {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, metrics.Collect());
  return out.str();
}

std::vector<std::string> Lines(const std::string& text) { return absl::StrSplit(text, '\n', absl::SkipEmpty()); }

Metrics Build() { return Metrics({.version = "1.2.3", .revision = "abc"}); }

TEST(MetricsTest, CountsADecisionUnderItsLabels) {
  Metrics metrics = Build();
  RealmMetrics& realm = metrics.ForRealm("corp.example");
  realm.CountAuthentication(Protocol::kImap, Outcome::kAccepted, Source::kCache, absl::Microseconds(3));
  realm.CountAuthentication(Protocol::kImap, Outcome::kAccepted, Source::kCache, absl::Microseconds(3));
  realm.CountAuthentication(Protocol::kPop3, Outcome::kRejected, Source::kBackend, absl::Milliseconds(4));
  const std::vector<std::string> lines = Lines(Expose(metrics));
  EXPECT_THAT(lines, Contains("credcache_authentications_total{outcome=\"accepted\",protocol=\"imap\","
                              "realm=\"corp.example\",source=\"cache\"} 2"));
  EXPECT_THAT(lines, Contains("credcache_authentications_total{outcome=\"rejected\",protocol=\"pop3\","
                              "realm=\"corp.example\",source=\"backend\"} 1"));
  EXPECT_THAT(lines, Contains("credcache_authentication_duration_seconds_bucket{source=\"cache\",le=\"2.5e-06\"} 0"));
  EXPECT_THAT(lines, Contains("credcache_authentication_duration_seconds_bucket{source=\"cache\",le=\"5e-06\"} 2"));
  EXPECT_THAT(lines, Contains("credcache_authentication_duration_seconds_count{source=\"backend\"} 1"));
  EXPECT_THAT(lines, Contains("credcache_authentication_duration_seconds_sum{source=\"backend\"} 0.004"));
}

TEST(MetricsTest, AHandleIsTheSameForTheSameNameOnly) {
  Metrics metrics = Build();
  EXPECT_EQ(&metrics.ForRealm("a"), &metrics.ForRealm("a"));
  EXPECT_NE(&metrics.ForRealm("a"), &metrics.ForRealm("b"));
  EXPECT_EQ(&metrics.ForBackend("a", "ldap"), &metrics.ForBackend("a", "ldap"));
  EXPECT_NE(&metrics.ForBackend("a", "ldap"), &metrics.ForBackend("b", "ldap"));
  EXPECT_EQ(&metrics.ForMethod("m"), &metrics.ForMethod("m"));
}

TEST(MetricsTest, LookUpsOfARealmAreThereBeforeTheFirst) {
  Metrics metrics = Build();
  metrics.ForRealm("corp");
  const std::vector<std::string> lines = Lines(Expose(metrics));
  EXPECT_THAT(lines, Contains("credcache_cache_hits_total{realm=\"corp\"} 0"));
  EXPECT_THAT(lines, Contains("credcache_cache_misses_total{realm=\"corp\",reason=\"no_lease\"} 0"));
  EXPECT_THAT(lines, Contains("credcache_coalesced_total{realm=\"corp\"} 0"));
}

TEST(MetricsTest, StatsAndScrapeReadTheSameNumbers) {
  Metrics metrics = Build();
  RealmMetrics& a = metrics.ForRealm("a");
  RealmMetrics& b = metrics.ForRealm("b");
  a.CountHit();
  a.CountHit();
  a.CountNegativeHit();
  a.CountMiss(MissReason::kDigest);
  b.CountMiss(MissReason::kAbsent);
  b.CountCoalesced();
  b.CountStale();
  b.CountRefresh();

  const RealmCounts total = metrics.TotalCounts();
  EXPECT_EQ(total.hits, 2u);
  EXPECT_EQ(total.negative_hits, 1u);
  EXPECT_EQ(total.misses[static_cast<size_t>(MissReason::kDigest)], 1u);
  EXPECT_EQ(total.Misses(), 2u);
  EXPECT_EQ(total.coalesced, 1u);
  EXPECT_EQ(total.stale, 1u);
  EXPECT_EQ(total.refreshes, 1u);
  EXPECT_DOUBLE_EQ(total.HitRatio(), 0.6);

  const auto by_realm = metrics.CountsByRealm();
  ASSERT_EQ(by_realm.size(), 2u);
  EXPECT_EQ(by_realm[0].first, "a");
  EXPECT_EQ(by_realm[0].second.hits, 2u);
  EXPECT_EQ(by_realm[1].second.coalesced, 1u);

  const std::vector<std::string> lines = Lines(Expose(metrics));
  EXPECT_THAT(lines, Contains("credcache_cache_hits_total{realm=\"a\"} 3"));
  EXPECT_THAT(lines, Contains("credcache_cache_misses_total{realm=\"b\",reason=\"absent\"} 1"));
  EXPECT_THAT(lines, Contains("credcache_coalesced_total{realm=\"b\"} 1"));
}

TEST(MetricsTest, TheHitRatioOfNothingIsZero) { EXPECT_EQ(RealmCounts().HitRatio(), 0); }

TEST(MetricsTest, NoCountIsLostBetweenThreads) {
  Metrics metrics = Build();
  RealmMetrics& realm = metrics.ForRealm("corp");
  constexpr int kThreads = 8;
  constexpr int kEach = 20'000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        realm.CountHit();
        realm.CountAuthentication(Protocol::kHttp, Outcome::kAccepted, Source::kCache, absl::Microseconds(n % 10));
      }
    });
  }
  for (int i = 0; i < 20; ++i) metrics.Collect();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(realm.Counts().hits, uint64_t{kThreads} * kEach);
  EXPECT_EQ(realm.Authentications(Protocol::kHttp, Outcome::kAccepted, Source::kCache), uint64_t{kThreads} * kEach);
  EXPECT_THAT(
      Lines(Expose(metrics)),
      Contains(absl::StrCat("credcache_authentication_duration_seconds_count{source=\"cache\"} ", kThreads * kEach)));
}

TEST(MetricsTest, CacheAndJournalAreReadAtTheScrape) {
  Metrics metrics = Build();
  EXPECT_THAT(Expose(metrics), Not(HasSubstr("credcache_cache_entries")));
  int64_t entries = 5;
  metrics.SetSources({.cache =
                          [&] {
                            return CacheReading{entries, 2, 1000, 7};
                          },
                      .journal = [] { return JournalReading{.revision = 9, .lease_valid = true}; }});
  entries = 6;
  const std::vector<std::string> lines = Lines(Expose(metrics));
  EXPECT_THAT(lines, Contains("credcache_cache_entries{kind=\"positive\"} 6"));
  EXPECT_THAT(lines, Contains("credcache_cache_entries{kind=\"negative\"} 2"));
  EXPECT_THAT(lines, Contains("credcache_cache_bytes 1000"));
  EXPECT_THAT(lines, Contains("credcache_cache_evictions_total 7"));
  EXPECT_THAT(lines, Contains("credcache_journal_revision 9"));
  EXPECT_THAT(lines, Contains("credcache_journal_lease_valid 1"));
  metrics.SetSources({});
  EXPECT_THAT(Expose(metrics), Not(HasSubstr("credcache_cache_bytes")));
}

TEST(MetricsTest, BackendsShowResultsDurationsAndWhatIsInFlight) {
  Metrics metrics = Build();
  BackendMetrics& backend = metrics.ForBackend("corp", "ldap");
  backend.Begin();
  backend.Begin();
  backend.End(BackendResult::kUnknownUser, absl::Milliseconds(2));
  const std::vector<std::string> lines = Lines(Expose(metrics));
  EXPECT_THAT(lines,
              Contains("credcache_backend_requests_total{backend=\"ldap\",realm=\"corp\",result=\"unknown_user\"} 1"));
  EXPECT_THAT(lines, Contains("credcache_backend_requests_total{backend=\"ldap\",realm=\"corp\",result=\"error\"} 0"));
  EXPECT_THAT(lines, Contains("credcache_backend_in_flight{backend=\"ldap\",realm=\"corp\"} 1"));
  EXPECT_THAT(lines, Contains("credcache_backend_duration_seconds_sum{backend=\"ldap\",realm=\"corp\"} 0.002"));
}

TEST(MetricsTest, InvalidationsAndCallsAreCounted) {
  Metrics metrics = Build();
  metrics.CountInvalidation(InvalidationTarget::kRealm, InvalidationOrigin::kFeed, absl::Microseconds(80));
  CallMetrics& method = metrics.ForMethod("credcache.v1.AuthService/Authenticate");
  method.Count(absl::StatusCode::kOk, absl::Microseconds(20));
  method.Count(absl::StatusCode::kUnauthenticated, absl::Microseconds(20));
  method.Count(static_cast<absl::StatusCode>(99), absl::Microseconds(20));
  EXPECT_EQ(metrics.Invalidations(), 1u);
  const std::vector<std::string> lines = Lines(Expose(metrics));
  EXPECT_THAT(lines, Contains("credcache_invalidations_total{origin=\"feed\",target=\"realm\"} 1"));
  EXPECT_THAT(lines, Contains("credcache_invalidation_duration_seconds_count 1"));
  for (const char* status : {"OK", "UNAUTHENTICATED", "UNKNOWN"}) {
    EXPECT_THAT(lines, Contains(absl::StrCat("grpc_server_call_duration_seconds_count{grpc_method=\"credcache.v1."
                                             "AuthService/Authenticate\",grpc_status=\"",
                                             status, "\"} 1")));
  }
  EXPECT_THAT(Expose(metrics), Not(HasSubstr("DATA_LOSS")));
}

TEST(MetricsTest, TheProcessAndTheBuildAreTold) {
  Metrics metrics = Build();
  const std::string text = Expose(metrics);
  EXPECT_THAT(Lines(text), Contains("credcache_build_info{revision=\"abc\",version=\"1.2.3\"} 1"));
  for (const char* name :
       {"process_cpu_seconds_total", "process_open_fds", "process_max_fds", "process_virtual_memory_bytes",
        "process_resident_memory_bytes", "process_start_time_seconds", "process_threads"}) {
    EXPECT_THAT(Lines(text), Contains(StartsWith(absl::StrCat(name, " ")))) << name;
  }
}

TEST(MetricsTest, TheProcessStartedAMomentAgo) {
  Metrics metrics = Build();
  for (const prometheus::MetricFamily& family : metrics.Collect()) {
    if (family.name != "process_start_time_seconds") continue;
    const absl::Duration age = absl::Now() - absl::UnixEpoch() - absl::Seconds(family.metric.front().gauge.value);
    EXPECT_GT(age, absl::Seconds(-2));  // the boot time is in whole seconds
    EXPECT_LT(age, absl::Minutes(10));
    return;
  }
  FAIL() << "no start time";
}

// What `promtool check metrics` asks for, so that a slip shows here first.
TEST(MetricsTest, EveryFamilyHasItsNameHelpAndTypeOnce) {
  Metrics metrics = Build();
  metrics.SetSources({.cache = [] { return CacheReading(); }, .journal = [] { return JournalReading(); }});
  metrics.ForRealm("corp").CountAuthentication(Protocol::kImap, Outcome::kAccepted, Source::kCache,
                                               absl::ZeroDuration());
  metrics.ForBackend("corp", "ldap").SetCircuit(CircuitState::kClosed);
  metrics.ForMethod("m");
  std::set<std::string> names;
  for (const prometheus::MetricFamily& family : metrics.Collect()) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name << " comes twice";
    EXPECT_FALSE(family.help.empty()) << family.name;
    EXPECT_FALSE(family.metric.empty()) << family.name;
    EXPECT_EQ(absl::EndsWith(family.name, "_total"), family.type == prometheus::MetricType::Counter) << family.name;
    std::set<std::vector<prometheus::ClientMetric::Label>> samples;
    for (const prometheus::ClientMetric& metric : family.metric) {
      EXPECT_TRUE(samples.insert(metric.label).second) << family.name << " repeats its labels";
    }
  }
  EXPECT_EQ(names.size(), 28u);
}

TEST(MetricsTest, ARealmsNameIsEscaped) {
  Metrics metrics = Build();
  metrics.ForRealm("a\"b\\c\n").CountHit();
  EXPECT_THAT(Expose(metrics), HasSubstr("credcache_cache_hits_total{realm=\"a\\\"b\\\\c\\n\"} 1\n"));
}

}  // namespace
}  // namespace credcache
