#include "metrics/realm_metrics.h"

namespace credcache {

RealmCounts& RealmCounts::operator+=(const RealmCounts& other) {
  hits += other.hits;
  negative_hits += other.negative_hits;
  for (size_t i = 0; i < misses.size(); ++i) misses[i] += other.misses[i];
  coalesced += other.coalesced;
  stale += other.stale;
  refreshes += other.refreshes;
  for (size_t i = 0; i < throttled.size(); ++i) {
    throttled[i] += other.throttled[i];
    would_throttle[i] += other.would_throttle[i];
  }
  return *this;
}

uint64_t RealmCounts::Misses() const {
  uint64_t total = 0;
  for (const uint64_t count : misses) total += count;
  return total;
}

uint64_t RealmCounts::Throttled() const {
  uint64_t total = 0;
  for (const uint64_t count : throttled) total += count;
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
    for (size_t i = 0; i < counts.throttled.size(); ++i) {
      counts.throttled[i] += cells.throttled[i].Read();
      counts.would_throttle[i] += cells.would_throttle[i].Read();
    }
  });
  return counts;
}

uint64_t RealmMetrics::Authentications(Protocol protocol, Outcome outcome, Source source) const {
  uint64_t total = 0;
  cells_.ForEach([&](const Cells& cells) { total += cells.authentications[Cell(protocol, outcome, source)].Read(); });
  return total;
}

}  // namespace credcache
