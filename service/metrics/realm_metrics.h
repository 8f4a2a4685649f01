// What is counted of one realm's log-ons. On the way of every hit: nothing here locks, allocates or looks a label up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "base/outcome.h"
#include "base/protocol.h"
#include "base/striped.h"
#include "metrics/latency_histogram.h"

namespace credcache {

// Durations of authentications by source, of all realms together.
struct AuthenticationDurations {
  std::array<LatencyHistogram, kSources> by_source;
};

// What a realm counted since the start, for Stats and scrapes.
struct RealmCounts {
  uint64_t hits = 0;           // answers from good entries
  uint64_t negative_hits = 0;  // answers from negative entries
  std::array<uint64_t, kMissReasons> misses = {};
  uint64_t coalesced = 0;  // requests that joined another's flight
  uint64_t stale = 0;      // answers past the age limit, while no backend could answer
  uint64_t refreshes = 0;  // flights begun ahead of an entry's end
  std::array<uint64_t, kThrottleReasons> throttled = {};
  std::array<uint64_t, kThrottleReasons> would_throttle = {};  // in a dry run

  RealmCounts& operator+=(const RealmCounts& other);
  uint64_t Misses() const;
  uint64_t Throttled() const;
  // Answers per look-up, 0 to 1; 0 before the first look-up.
  double HitRatio() const;
};

// Thread-safe. Lives as long as the Metrics that gave it.
class RealmMetrics {
 public:
  explicit RealmMetrics(Striped<AuthenticationDurations>& durations) : durations_(durations) {}
  RealmMetrics(const RealmMetrics&) = delete;
  RealmMetrics& operator=(const RealmMetrics&) = delete;

  // One decision, as the caller was told of it. Once for each answered request (element of a batch), however it came
  // about; not for errors, which are no decisions.
  void CountAuthentication(Protocol protocol, Outcome outcome, Source source, absl::Duration duration);

  // One look-up in the cache: exactly one of the three.
  void CountHit() { cells_.Local().hits.Add(); }
  void CountNegativeHit() { cells_.Local().negative_hits.Add(); }
  void CountMiss(MissReason reason) { cells_.Local().misses[static_cast<size_t>(reason)].Add(); }
  // What became of a look-up afterwards.
  void CountCoalesced() { cells_.Local().coalesced.Add(); }
  void CountStale() { cells_.Local().stale.Add(); }
  void CountRefresh() { cells_.Local().refreshes.Add(); }

  // An answer of THROTTLED; one that would have been that, but for a dry run.
  void CountThrottled(ThrottleReason reason) { cells_.Local().throttled[static_cast<size_t>(reason)].Add(); }
  void CountWouldThrottle(ThrottleReason reason) { cells_.Local().would_throttle[static_cast<size_t>(reason)].Add(); }

  RealmCounts Counts() const;
  uint64_t Authentications(Protocol protocol, Outcome outcome, Source source) const;

 private:
  struct Cells {
    std::array<Count, kProtocols * kOutcomes * kSources> authentications;
    Count hits;
    Count negative_hits;
    std::array<Count, kMissReasons> misses;
    Count coalesced;
    Count stale;
    Count refreshes;
    std::array<Count, kThrottleReasons> throttled;
    std::array<Count, kThrottleReasons> would_throttle;
  };
  static size_t Cell(Protocol protocol, Outcome outcome, Source source) {
    return (static_cast<size_t>(protocol) * kOutcomes + static_cast<size_t>(outcome)) * kSources +
           static_cast<size_t>(source);
  }

  Striped<Cells> cells_;
  Striped<AuthenticationDurations>& durations_;
};

}  // namespace credcache
