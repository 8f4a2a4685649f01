#include <algorithm>
#include <string>
#include <vector>

#include "credcache/v1/stats.pb.h"
#include "rpc/calls.h"
#include "rpc/codec.h"
#include "rpc/convert.h"
#include "rpc/status.h"

namespace credcache {
namespace {

v1::MissReason ProtoOf(MissReason reason) {
  switch (reason) {
    case MissReason::kAbsent:
      return v1::MISS_REASON_ABSENT;
    case MissReason::kAge:
      return v1::MISS_REASON_AGE;
    case MissReason::kIdle:
      return v1::MISS_REASON_IDLE;
    case MissReason::kDigest:
      return v1::MISS_REASON_DIGEST;
    case MissReason::kQuarantine:
      return v1::MISS_REASON_QUARANTINE;
    case MissReason::kNoLease:
      return v1::MISS_REASON_NO_LEASE;
    case MissReason::kDisabled:
      return v1::MISS_REASON_DISABLED;
    case MissReason::kMaxAge:
      return v1::MISS_REASON_MAX_AGE;
  }
  return v1::MISS_REASON_UNSPECIFIED;
}

v1::BackendStats::FeedState ProtoOf(FeedState state) {
  switch (state) {
    case FeedState::kNone:
      return v1::BackendStats::FEED_STATE_UNSPECIFIED;
    case FeedState::kDown:
      return v1::BackendStats::FEED_STATE_DOWN;
    case FeedState::kUp:
      return v1::BackendStats::FEED_STATE_UP;
  }
  return v1::BackendStats::FEED_STATE_UNSPECIFIED;
}

v1::BackendStats::CircuitState ProtoOf(CircuitState state) {
  switch (state) {
    case CircuitState::kNone:
      return v1::BackendStats::CIRCUIT_STATE_UNSPECIFIED;
    case CircuitState::kClosed:
      return v1::BackendStats::CIRCUIT_STATE_CLOSED;
    case CircuitState::kHalfOpen:
      return v1::BackendStats::CIRCUIT_STATE_HALF_OPEN;
    case CircuitState::kOpen:
      return v1::BackendStats::CIRCUIT_STATE_OPEN;
  }
  return v1::BackendStats::CIRCUIT_STATE_UNSPECIFIED;
}

uint64_t Unsigned(int64_t count) { return static_cast<uint64_t>(std::max<int64_t>(0, count)); }

// The fields that CacheStats and RealmStats have in common.
template <typename Proto>
void SetCounts(const RealmCounts& counts, Proto* proto) {
  proto->set_hits(counts.hits);
  proto->set_negative_hits(counts.negative_hits);
  proto->set_coalesced(counts.coalesced);
  proto->set_stale(counts.stale);
  proto->set_throttled(counts.Throttled());
  for (int i = 0; i < kMissReasons; ++i) {
    if (counts.misses[static_cast<size_t>(i)] == 0) continue;
    v1::MissCount* miss = proto->add_misses();
    miss->set_reason(ProtoOf(static_cast<MissReason>(i)));
    miss->set_count(counts.misses[static_cast<size_t>(i)]);
  }
}

void SetCache(const RpcParts& parts, v1::CacheStats* proto) {
  const RealmCounts counts = parts.metrics.TotalCounts();
  SetCounts(counts, proto);
  proto->set_refreshes(counts.refreshes);
  proto->set_hit_ratio(counts.HitRatio());
  proto->set_invalidations(parts.metrics.Invalidations());
  if (parts.cache == nullptr) return;
  const CacheCounts cache = parts.cache->Counts();
  proto->set_entries(Unsigned(cache.entries));
  proto->set_negative_entries(Unsigned(cache.negative_entries));
  proto->set_bytes(Unsigned(cache.bytes));
  proto->set_evictions(Unsigned(cache.evictions));
  proto->set_buckets(static_cast<uint64_t>(parts.cache->buckets()));
  proto->set_max_entries(Unsigned(parts.cache->max_entries()));
}

void AddRealms(const RpcParts& parts, const Caller& caller, v1::StatsResponse* response) {
  const std::shared_ptr<const Realms> realms = parts.realms.Get();
  const std::vector<CacheCounts> entries =
      parts.cache == nullptr ? std::vector<CacheCounts>() : parts.cache->RealmCounts();
  for (const Realm& realm : realms->all()) {
    if (!caller.MayUseRealm(realm.name).ok()) continue;
    v1::RealmStats* proto = response->add_realms();
    proto->set_realm(realm.name);
    SetCounts(parts.metrics.ForRealm(realm.name).Counts(), proto);
    const size_t index = static_cast<size_t>(realm.id);
    if (index >= entries.size()) continue;
    proto->set_entries(Unsigned(entries[index].entries));
    proto->set_negative_entries(Unsigned(entries[index].negative_entries));
  }
}

void AddBuckets(const Cache& cache, v1::StatsResponse* response) {
  for (int i = 0; i < cache.buckets(); ++i) {
    const CacheCounts counts = cache.BucketCounts(i);
    v1::BucketStats* proto = response->add_buckets();
    proto->set_bucket(static_cast<uint32_t>(i));
    proto->set_entries(Unsigned(counts.entries));
    proto->set_negative_entries(Unsigned(counts.negative_entries));
    proto->set_evictions(Unsigned(counts.evictions));
  }
}

void AddBackends(const RpcParts& parts, const Caller& caller, v1::StatsResponse* response) {
  for (const Metrics::Backend& backend : parts.metrics.Backends()) {
    if (!caller.MayUseRealm(backend.realm).ok()) continue;
    v1::BackendStats* proto = response->add_backends();
    proto->set_realm(backend.realm);
    proto->set_backend(backend.backend);
    proto->set_state(backend.reading.up ? v1::BackendStats::STATE_UP : v1::BackendStats::STATE_DOWN);
    proto->set_feed(ProtoOf(backend.reading.feed));
    proto->set_circuit(ProtoOf(backend.reading.circuit));
    proto->set_in_flight(backend.reading.in_flight);
    proto->set_waiting(backend.reading.waiting);
    proto->set_requests(backend.reading.requests);
    proto->set_errors(backend.reading.errors);
    ToProto(backend.reading.latency_median, proto->mutable_latency_median());
    ToProto(backend.reading.latency_p99, proto->mutable_latency_p99());
  }
}

void SetReplica(const RpcParts& parts, v1::ReplicaStats* proto) {
  proto->set_name(parts.replica.name);
  proto->set_version(parts.replica.version);
  ToProto(parts.replica.started_at, proto->mutable_started_at());
  proto->set_revision(parts.journal.Applied().value());
  proto->set_lease_state(v1::ReplicaStats::LEASE_STATE_NOT_NEEDED);  // the in-memory journal needs none
}

}  // namespace

grpc::ServerUnaryReactor* HandleStats(const RpcParts& parts, const Listener& listener, const UnaryCall& call) {
  absl::StatusOr<IdentifiedCaller> caller = IdentifyCaller(parts, listener, *call.context);
  if (!caller.ok()) return FinishNow(call, caller.status());
  if (absl::Status status = caller->caller->MayDo(Permission::kStats); !status.ok()) {
    parts.reporter.Report(Severity::kWarning, "caller_refused", status.message());
    return FinishNow(call, status);
  }
  v1::StatsRequest request;
  if (absl::Status status = ParseAndWipe(*call.request, &request); !status.ok()) return FinishNow(call, status);

  v1::StatsResponse response;
  SetCache(parts, response.mutable_cache());
  if (request.per_realm()) AddRealms(parts, *caller->caller, &response);
  if (request.per_bucket() && parts.cache != nullptr) AddBuckets(*parts.cache, &response);
  SetReplica(parts, response.mutable_replica());
  AddBackends(parts, *caller->caller, &response);
  return FinishNow(call, response);
}

}  // namespace credcache
