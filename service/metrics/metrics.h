// All that the service counts (api.md, section 3): counted by what the parts hold of it, read by /metrics and by Stats.
//
// Each part asks once, when it is built, for its handle (ForRealm, ForBackend, ForMethod) and counts on that: then
// nothing on the way of a request looks a label up. Labels are bounded by the configuration and by closed lists; no
// user's name is ever one.
//
// Thread-safe. Counters count from the start of the process, through reloads: what a handle counted stays, and stays
// exposed, when its realm is gone from the configuration.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/striped.h"
#include "metrics/backend_metrics.h"
#include "metrics/call_metrics.h"
#include "metrics/latency_histogram.h"
#include "metrics/realm_metrics.h"
#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

namespace credcache {

// What an invalidation covers.
enum class InvalidationTarget : uint8_t { kUser, kSession, kRealm, kAll };
inline constexpr int kInvalidationTargets = 4;
// Who asked for it: a caller of Invalidate, a change feed, another replica (through the journal), a reload of the
// configuration.
enum class InvalidationOrigin : uint8_t { kCaller, kFeed, kReplica, kReload };
inline constexpr int kInvalidationOrigins = 4;

// "user"; "caller".
absl::string_view Name(InvalidationTarget target);
absl::string_view Name(InvalidationOrigin origin);

struct BuildInfo {
  std::string version;
  std::string revision;  // of the source
};

// The cache and the journal, read at each scrape.
struct CacheReading {
  int64_t entries = 0;
  int64_t negative_entries = 0;
  int64_t bytes = 0;
  int64_t evictions = 0;
};
struct JournalReading {
  uint64_t revision = 0;
  bool lease_valid = true;  // always, with the in-memory journal
};
// May be left empty; then what they would tell is left out.
struct MetricSources {
  std::function<CacheReading()> cache;
  std::function<JournalReading()> journal;
};

class Metrics final : public prometheus::Collectable {
 public:
  explicit Metrics(BuildInfo build_info);
  ~Metrics() override;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The handle of that name, made at the first call; the same ever after. Lives as long as this. They take a lock: not
  // for the way of a request. `realm` is a configured name; kNoRealm is for requests that name none that there is.
  RealmMetrics& ForRealm(absl::string_view realm);
  static constexpr absl::string_view kNoRealm = "";
  // `backend`: the kind, numbered where a realm has several: "ldap", "file-2".
  BackendMetrics& ForBackend(absl::string_view realm, absl::string_view backend);
  // `method`: one that is served, "credcache.v1.AuthService/Authenticate"; never a name that a client made up.
  CallMetrics& ForMethod(absl::string_view method);

  // One invalidation that was applied here, with the time from asking to the answer.
  void CountInvalidation(InvalidationTarget target, InvalidationOrigin origin, absl::Duration duration);

  // From when this returns, scrapes ask `sources`, and no others: whoever owns what they read calls
  // SetSources({}) before it goes. They are called with a lock held, and must not call back.
  void SetSources(MetricSources sources);

  // For Stats. Realms and backends in order of their names.
  RealmCounts TotalCounts() const;
  std::vector<std::pair<std::string, RealmCounts>> CountsByRealm() const;
  struct Backend {
    std::string realm;
    std::string backend;
    BackendReading reading;
  };
  std::vector<Backend> Backends() const;
  uint64_t Invalidations() const;

  // Everything, for prometheus::TextSerializer: families in a fixed order, each once, samples in order of their labels.
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  template <typename Key, typename Handle>
  using Handles = absl::btree_map<Key, std::unique_ptr<Handle>>;
  using Families = std::vector<prometheus::MetricFamily>;

  void CollectRealms(Families& out) const;
  void CollectBackends(Families& out) const;
  void CollectInvalidations(Families& out) const;
  void CollectMethods(Families& out) const;

  const BuildInfo build_info_;
  Striped<AuthenticationDurations> authentication_durations_;
  std::array<Count, kInvalidationTargets * kInvalidationOrigins> invalidations_;
  LatencyHistogram invalidation_durations_;

  mutable absl::Mutex mutex_;  // guards the tables, not what the handles count
  Handles<std::string, RealmMetrics> realms_ ABSL_GUARDED_BY(mutex_);
  Handles<std::pair<std::string, std::string>, BackendMetrics> backends_ ABSL_GUARDED_BY(mutex_);
  Handles<std::string, CallMetrics> methods_ ABSL_GUARDED_BY(mutex_);

  mutable absl::Mutex sources_mutex_;
  MetricSources sources_ ABSL_GUARDED_BY(sources_mutex_);
};

}  // namespace credcache
