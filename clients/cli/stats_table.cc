#include "cli/stats_table.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "cli/duration.h"
#include "cli/output.h"
#include "cli/table.h"

namespace credcache::cli {
namespace {

using Align = Table::Align;
using Counter = uint64_t (v1::CacheStats::*)() const;

// An enum's value as a word: LEASE_STATE_NOT_NEEDED -> "not needed".
std::string Word(absl::string_view name, absl::string_view prefix) {
  return absl::AsciiStrToLower(absl::StrReplaceAll(absl::StripPrefix(name, prefix), {{"_", " "}}));
}

std::string Percent(std::optional<double> ratio) { return ratio ? absl::StrFormat("%.1f %%", *ratio * 100) : "-"; }

std::string RateText(double rate) {
  return rate < 10 ? absl::StrFormat("%.1f/s", rate) : absl::StrFormat("%.0f/s", rate);
}

template <typename Stats>
uint64_t Misses(const Stats& stats) {
  uint64_t sum = 0;
  for (const auto& miss : stats.misses()) sum += miss.count();
  return sum;
}

template <typename Stats>
uint64_t MissesFor(const Stats& stats, v1::MissReason reason) {
  uint64_t sum = 0;
  for (const auto& miss : stats.misses()) sum += miss.reason() == reason ? miss.count() : 0;
  return sum;
}

// hits and negative hits of all look-ups; the two messages name their fields alike.
template <typename Stats>
std::optional<double> RatioBetween(const Stats& before, const Stats& now) {
  const auto answered = static_cast<double>(now.hits() + now.negative_hits()) -
                        static_cast<double>(before.hits() + before.negative_hits());
  const double missed = static_cast<double>(Misses(now)) - static_cast<double>(Misses(before));
  if (answered < 0 || missed < 0 || answered + missed <= 0) return std::nullopt;
  return answered / (answered + missed);
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

std::string RenderReplica(const StatsSample& now) {
  const v1::ReplicaStats& replica = now.stats.replica();
  std::string line = absl::StrCat(replica.name().empty() ? "credcache" : Printable(replica.name()), "  version ",
                                  Printable(replica.version()));
  if (replica.has_started_at()) {
    absl::StrAppend(&line, "  up ", Rough(std::max(now.at - ToTime(replica.started_at()), absl::ZeroDuration())));
  }
  absl::StrAppend(&line, "  revision ", Grouped(replica.revision()), "  lease ",
                  Word(v1::ReplicaStats::LeaseState_Name(replica.lease_state()), "LEASE_STATE_"), "\n");
  return line;
}

std::string RenderCache(const v1::CacheStats& cache, const std::optional<Rates>& rates) {
  std::vector<Table::Column> columns = {{"CACHE", Align::kLeft}, {rates ? "TOTAL" : ""}};
  if (rates) columns.push_back({"PER SECOND"});
  Table table(std::move(columns));
  const auto add = [&](std::string label, uint64_t now, uint64_t before) {
    std::vector<std::string> row = {std::move(label), Grouped(now)};
    if (rates) row.push_back(RateText(rates->PerSecond(before, now)));
    table.Add(std::move(row));
  };
  const v1::CacheStats& earlier = rates ? rates->before().cache() : v1::CacheStats::default_instance();
  const auto add_counter = [&](std::string label, Counter counter) {
    add(std::move(label), (cache.*counter)(), (earlier.*counter)());
  };

  table.Add({"entries", Grouped(cache.entries())});
  table.Add({"negative entries", Grouped(cache.negative_entries())});
  table.Add({"at most", Grouped(cache.max_entries())});
  table.Add({"memory", Bytes(cache.bytes())});
  table.Add({"buckets", cache.buckets() == 0 ? "0 (off)" : Grouped(cache.buckets())});
  add_counter("hits", &v1::CacheStats::hits);
  add_counter("negative hits", &v1::CacheStats::negative_hits);
  add("misses", Misses(cache), Misses(earlier));
  for (int reason = v1::MissReason_MIN; reason <= v1::MissReason_MAX; ++reason) {
    const auto named = static_cast<v1::MissReason>(reason);
    const uint64_t count = MissesFor(cache, named);
    if (count > 0) {
      add(absl::StrCat("  ", Word(v1::MissReason_Name(named), "MISS_REASON_")), count, MissesFor(earlier, named));
    }
  }
  add_counter("coalesced", &v1::CacheStats::coalesced);
  add_counter("stale", &v1::CacheStats::stale);
  add_counter("evictions", &v1::CacheStats::evictions);
  add_counter("refreshes", &v1::CacheStats::refreshes);
  add_counter("invalidations", &v1::CacheStats::invalidations);
  std::vector<std::string> ratio = {"hit ratio", Percent(HitRatio(v1::CacheStats::default_instance(), cache))};
  if (rates) ratio.push_back(Percent(HitRatio(earlier, cache)));
  table.Add(std::move(ratio));
  return table.Render();
}

const v1::BackendStats* Find(const v1::StatsResponse& stats, const v1::BackendStats& like) {
  for (const auto& backend : stats.backends()) {
    if (backend.realm() == like.realm() && backend.backend() == like.backend()) return &backend;
  }
  return nullptr;
}

std::string RenderBackends(const v1::StatsResponse& stats, const std::optional<Rates>& rates) {
  std::vector<Table::Column> columns = {{"BACKEND", Align::kLeft},
                                        {"REALM", Align::kLeft},
                                        {"STATE", Align::kLeft},
                                        {"IN FLIGHT"},
                                        {"REQUESTS"},
                                        {"ERRORS"},
                                        {"MEDIAN"},
                                        {"P99"}};
  if (rates) columns.push_back({"REQUESTS/S"});
  Table table(std::move(columns));
  for (const auto& backend : stats.backends()) {
    std::vector<std::string> row = {Printable(backend.backend()),
                                    Printable(backend.realm()),
                                    Word(v1::BackendStats::State_Name(backend.state()), "STATE_"),
                                    Grouped(backend.in_flight()),
                                    Grouped(backend.requests()),
                                    Grouped(backend.errors()),
                                    backend.has_latency_median() ? Rough(ToDuration(backend.latency_median())) : "-",
                                    backend.has_latency_p99() ? Rough(ToDuration(backend.latency_p99())) : "-"};
    if (rates) {
      const v1::BackendStats* earlier = Find(rates->before(), backend);
      row.push_back(earlier == nullptr ? "-" : RateText(rates->PerSecond(earlier->requests(), backend.requests())));
    }
    table.Add(std::move(row));
  }
  return table.empty() ? "" : "\n" + table.Render();
}

const v1::RealmStats* Find(const v1::StatsResponse& stats, const v1::RealmStats& like) {
  for (const auto& realm : stats.realms()) {
    if (realm.realm() == like.realm()) return &realm;
  }
  return nullptr;
}

std::string RenderRealms(const v1::StatsResponse& stats, const std::optional<Rates>& rates) {
  std::vector<Table::Column> columns = {
      {"REALM", Align::kLeft}, {"ENTRIES"}, {"NEGATIVE"}, {"HITS"}, {"NEGATIVE HITS"}, {"MISSES"},
      {"COALESCED"},           {"STALE"},   {"HIT RATIO"}};
  if (rates) columns.push_back({"LOOK-UPS/S"});
  Table table(std::move(columns));
  const auto look_ups = [](const v1::RealmStats& realm) {
    return realm.hits() + realm.negative_hits() + Misses(realm);
  };
  for (const auto& realm : stats.realms()) {
    std::vector<std::string> row = {Printable(realm.realm()),
                                    Grouped(realm.entries()),
                                    Grouped(realm.negative_entries()),
                                    Grouped(realm.hits()),
                                    Grouped(realm.negative_hits()),
                                    Grouped(Misses(realm)),
                                    Grouped(realm.coalesced()),
                                    Grouped(realm.stale()),
                                    Percent(RatioBetween(v1::RealmStats::default_instance(), realm))};
    if (rates) {
      const v1::RealmStats* earlier = Find(rates->before(), realm);
      row.push_back(earlier == nullptr ? "-" : RateText(rates->PerSecond(look_ups(*earlier), look_ups(realm))));
    }
    table.Add(std::move(row));
  }
  return table.empty() ? "" : "\n" + table.Render();
}

std::string RenderBuckets(const v1::StatsResponse& stats) {
  Table table({{"BUCKET"}, {"ENTRIES"}, {"NEGATIVE"}, {"EVICTIONS"}});
  for (const auto& bucket : stats.buckets()) {
    table.Add({Grouped(bucket.bucket()), Grouped(bucket.entries()), Grouped(bucket.negative_entries()),
               Grouped(bucket.evictions())});
  }
  return table.empty() ? "" : "\n" + table.Render();
}

}  // namespace

std::optional<Rates> Rates::Between(const std::optional<StatsSample>& before, const StatsSample& now) {
  if (!before || now.at <= before->at) return std::nullopt;
  const auto& then = before->stats.replica();
  const auto& current = now.stats.replica();
  const bool restarted = then.name() != current.name() ||
                         then.started_at().seconds() != current.started_at().seconds() ||
                         then.started_at().nanos() != current.started_at().nanos();
  if (restarted) return std::nullopt;
  return Rates(before->stats, absl::ToDoubleSeconds(now.at - before->at));
}

double Rates::PerSecond(uint64_t before, uint64_t now) const {
  return now < before ? 0 : static_cast<double>(now - before) / seconds_;
}

std::optional<double> HitRatio(const v1::CacheStats& before, const v1::CacheStats& now) {
  return RatioBetween(before, now);
}

std::string RenderStats(const StatsSample& now, const std::optional<StatsSample>& before) {
  const std::optional<Rates> rates = Rates::Between(before, now);
  return absl::StrCat(RenderReplica(now), "\n", RenderCache(now.stats.cache(), rates), RenderBackends(now.stats, rates),
                      RenderRealms(now.stats, rates), RenderBuckets(now.stats));
}

}  // namespace credcache::cli
