#include "metrics/realm_metrics.h"

namespace credcache {

RealmCounts& RealmCounts::operator+=(const RealmCounts& other) {
  hits += other.hits;
  negative_hits += other.negative_hits;
  for (size_t i = 0; i < misses.size(); ++i) misses[i] += other.misses[i];
  coalesced += other.coalesced;
  stale += other.stale;
  refreshes += other.refreshes;
  return *this;
}

uint64_t RealmCounts::Misses() const {
  uint64_t total = 0;
  for (const uint64_t count : misses) total += count;
  return total;
}

double RealmCounts::HitRatio() const {
  const uint64_t answered = hits + negative_hits;
  const uint64_t looked_up = answered + Misses();
  return looked_up == 0 ? 0 : static_cast<double>(answered) / static_cast<double>(looked_up);
}

void RealmMetrics::CountAuthentication(Protocol protocol, Outcome outcome, Source source, absl::Duration duration) {
  cells_.Local().authentications[Cell(protocol, outcome, source)].Add();
  durations_.Local().by_source[static_cast<size_t>(source)].Observe(duration);
}

RealmCounts RealmMetrics::Counts() const {
  RealmCounts counts;
  cells_.ForEach([&](const Cells& cells) {
    counts.hits += cells.hits.Read();
    counts.negative_hits += cells.negative_hits.Read();
    for (size_t i = 0; i < counts.misses.size(); ++i) counts.misses[i] += cells.misses[i].Read();
    counts.coalesced += cells.coalesced.Read();
    counts.stale += cells.stale.Read();
    counts.refreshes += cells.refreshes.Read();
  });
  return counts;
}

uint64_t RealmMetrics::Authentications(Protocol protocol, Outcome outcome, Source source) const {
  uint64_t total = 0;
  cells_.ForEach([&](const Cells& cells) { total += cells.authentications[Cell(protocol, outcome, source)].Read(); });
  return total;
}

}  // namespace credcache
