#include "metrics/metrics.h"

#include "metrics/exposition.h"
#include "metrics/metric_families.h"
#include "metrics/process_metrics.h"

namespace credcache {
namespace {

using prometheus::MetricFamily;

// gRPC's own names of its codes, as other servers label this metric.
constexpr std::array<absl::string_view, kStatusCodes> kStatusNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

// Every value of one of the closed lists.
template <typename Enum, int kSize>
std::array<Enum, kSize> AllOf() {
  std::array<Enum, kSize> all;
  for (int i = 0; i < kSize; ++i) all[static_cast<size_t>(i)] = static_cast<Enum>(i);
  return all;
}
const auto kAllProtocols = AllOf<Protocol, kProtocols>();
const auto kAllOutcomes = AllOf<Outcome, kOutcomes>();
const auto kAllSources = AllOf<Source, kSources>();
const auto kAllMissReasons = AllOf<MissReason, kMissReasons>();
const auto kAllBackendResults = AllOf<BackendResult, kBackendResults>();
const auto kAllThrottleReasons = AllOf<ThrottleReason, kThrottleReasons>();
const auto kAllTargets = AllOf<InvalidationTarget, kInvalidationTargets>();
const auto kAllOrigins = AllOf<InvalidationOrigin, kInvalidationOrigins>();

size_t Cell(InvalidationTarget target, InvalidationOrigin origin) {
  return static_cast<size_t>(target) * kInvalidationOrigins + static_cast<size_t>(origin);
}

// One sample without labels.
void AppendOne(const FamilySpec& spec, double value, std::vector<MetricFamily>& out) {
  FamilyBuilder family(spec);
  family.Add({}, value);
  std::move(family).AppendTo(out);
}

void AppendCache(const CacheReading& cache, std::vector<MetricFamily>& out) {
  FamilyBuilder entries(families::kCacheEntries);
  entries.Add({{"kind", "negative"}}, static_cast<double>(cache.negative_entries));
  entries.Add({{"kind", "positive"}}, static_cast<double>(cache.entries));
  std::move(entries).AppendTo(out);
  AppendOne(families::kCacheBytes, static_cast<double>(cache.bytes), out);
  AppendOne(families::kCacheEvictions, static_cast<double>(cache.evictions), out);
}

// Of the many combinations of labels, those that happened; a realm's look-ups are few series and always there, so that
// the first increase of each is seen as one.
void AppendAuthentications(absl::string_view realm, const RealmMetrics& metrics, FamilyBuilder& out) {
  for (const Protocol protocol : kAllProtocols) {
    for (const Outcome outcome : kAllOutcomes) {
      for (const Source source : kAllSources) {
        const uint64_t count = metrics.Authentications(protocol, outcome, source);
        if (count == 0) continue;
        out.Add({{"outcome", Name(outcome)}, {"protocol", Name(protocol)}, {"realm", realm}, {"source", Name(source)}},
                static_cast<double>(count));
      }
    }
  }
}

}  // namespace

absl::string_view Name(InvalidationTarget target) {
  static constexpr std::array<absl::string_view, kInvalidationTargets> kNames = {"user", "session", "realm", "all"};
  return kNames[static_cast<size_t>(target)];
}

absl::string_view Name(InvalidationOrigin origin) {
  static constexpr std::array<absl::string_view, kInvalidationOrigins> kNames = {"caller", "feed", "replica", "reload"};
  return kNames[static_cast<size_t>(origin)];
}

Metrics::Metrics(BuildInfo build_info) : build_info_(std::move(build_info)) {}
Metrics::~Metrics() = default;

RealmMetrics& Metrics::ForRealm(absl::string_view realm) {
  const absl::MutexLock lock(&mutex_);
  auto& handle = realms_[std::string(realm)];
  if (handle == nullptr) handle = std::make_unique<RealmMetrics>(authentication_durations_);
  return *handle;
}

BackendMetrics& Metrics::ForBackend(absl::string_view realm, absl::string_view backend) {
  const absl::MutexLock lock(&mutex_);
  auto& handle = backends_[std::pair(std::string(realm), std::string(backend))];
  if (handle == nullptr) handle = std::make_unique<BackendMetrics>();
  return *handle;
}

CallMetrics& Metrics::ForMethod(absl::string_view method) {
  const absl::MutexLock lock(&mutex_);
  auto& handle = methods_[std::string(method)];
  if (handle == nullptr) handle = std::make_unique<CallMetrics>();
  return *handle;
}

void Metrics::CountInvalidation(InvalidationTarget target, InvalidationOrigin origin, absl::Duration duration) {
  invalidations_[Cell(target, origin)].Add();
  invalidation_durations_.Observe(duration);
}

void Metrics::SetSources(MetricSources sources) {
  const absl::MutexLock lock(&sources_mutex_);
  sources_ = std::move(sources);
}

RealmCounts Metrics::TotalCounts() const {
  RealmCounts total;
  const absl::MutexLock lock(&mutex_);
  for (const auto& [realm, metrics] : realms_) total += metrics->Counts();
  return total;
}

std::vector<std::pair<std::string, RealmCounts>> Metrics::CountsByRealm() const {
  std::vector<std::pair<std::string, RealmCounts>> out;
  const absl::MutexLock lock(&mutex_);
  for (const auto& [realm, metrics] : realms_) out.emplace_back(realm, metrics->Counts());
  return out;
}

std::vector<Metrics::Backend> Metrics::Backends() const {
  std::vector<Backend> out;
  const absl::MutexLock lock(&mutex_);
  for (const auto& [name, metrics] : backends_) out.push_back({name.first, name.second, metrics->Read()});
  return out;
}

uint64_t Metrics::Invalidations() const {
  uint64_t total = 0;
  for (const Count& count : invalidations_) total += count.Read();
  return total;
}

std::vector<MetricFamily> Metrics::Collect() const {
  std::vector<MetricFamily> out;
  CollectRealms(out);
  {
    const absl::MutexLock lock(&sources_mutex_);
    if (sources_.cache) AppendCache(sources_.cache(), out);
    if (sources_.journal) {
      const JournalReading journal = sources_.journal();
      AppendOne(families::kJournalRevision, static_cast<double>(journal.revision), out);
      AppendOne(families::kJournalLeaseValid, journal.lease_valid ? 1 : 0, out);
    }
  }
  CollectBackends(out);
  CollectInvalidations(out);
  CollectMethods(out);

  FamilyBuilder build(families::kBuildInfo);
  build.Add({{"revision", build_info_.revision}, {"version", build_info_.version}}, 1);
  std::move(build).AppendTo(out);
  AppendProcessMetrics(out);
  return out;
}

void Metrics::CollectRealms(std::vector<MetricFamily>& out) const {
  FamilyBuilder authentications(families::kAuthentications);
  FamilyBuilder durations(families::kAuthenticationDuration);
  FamilyBuilder hits(families::kCacheHits);
  FamilyBuilder misses(families::kCacheMisses);
  FamilyBuilder coalesced(families::kCoalesced);
  FamilyBuilder throttled(families::kThrottled);
  FamilyBuilder dry_run(families::kThrottleDryRun);
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [realm, metrics] : realms_) {
      AppendAuthentications(realm, *metrics, authentications);
      const RealmCounts counts = metrics->Counts();
      hits.Add({{"realm", realm}}, static_cast<double>(counts.hits + counts.negative_hits));
      for (const MissReason reason : kAllMissReasons) {
        misses.Add({{"realm", realm}, {"reason", Name(reason)}},
                   static_cast<double>(counts.misses[static_cast<size_t>(reason)]));
      }
      coalesced.Add({{"realm", realm}}, static_cast<double>(counts.coalesced));
      for (const ThrottleReason reason : kAllThrottleReasons) {
        const auto index = static_cast<size_t>(reason);
        throttled.Add({{"realm", realm}, {"reason", Name(reason)}}, static_cast<double>(counts.throttled[index]));
        dry_run.Add({{"realm", realm}, {"reason", Name(reason)}}, static_cast<double>(counts.would_throttle[index]));
      }
    }
  }
  for (const Source source : kAllSources) {
    LatencyHistogram::Reading reading;
    authentication_durations_.ForEach(
        [&](const AuthenticationDurations& stripe) { reading.Add(stripe.by_source[static_cast<size_t>(source)]); });
    durations.Add({{"source", Name(source)}}, reading);
  }
  for (FamilyBuilder* family : {&authentications, &durations, &hits, &misses, &coalesced, &throttled, &dry_run}) {
    std::move(*family).AppendTo(out);
  }
}

void Metrics::CollectBackends(std::vector<MetricFamily>& out) const {
  FamilyBuilder requests(families::kBackendRequests);
  FamilyBuilder durations(families::kBackendDuration);
  FamilyBuilder in_flight(families::kBackendInFlight);
  FamilyBuilder waiting(families::kBackendWaiting);
  FamilyBuilder circuit(families::kBackendCircuit);
  FamilyBuilder feed_up(families::kBackendFeedUp);
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [name, metrics] : backends_) {
      const auto& [realm, backend] = name;
      for (const BackendResult result : kAllBackendResults) {
        requests.Add({{"backend", backend}, {"realm", realm}, {"result", Name(result)}},
                     static_cast<double>(metrics->Requests(result)));
      }
      durations.Add({{"backend", backend}, {"realm", realm}}, metrics->Durations());
      in_flight.Add({{"backend", backend}, {"realm", realm}}, static_cast<double>(metrics->InFlight()));
      waiting.Add({{"backend", backend}, {"realm", realm}}, static_cast<double>(metrics->waiting().load()));
      if (const CircuitState state = metrics->Circuit(); state != CircuitState::kNone) {
        circuit.Add({{"backend", backend}, {"realm", realm}}, static_cast<double>(state) - 1);
      }
      if (const FeedState feed = metrics->Feed(); feed != FeedState::kNone) {
        feed_up.Add({{"backend", backend}, {"realm", realm}}, feed == FeedState::kUp ? 1 : 0);
      }
    }
  }
  for (FamilyBuilder* family : {&requests, &durations, &in_flight, &waiting, &circuit, &feed_up})
    std::move(*family).AppendTo(out);
}

void Metrics::CollectInvalidations(std::vector<MetricFamily>& out) const {
  FamilyBuilder invalidations(families::kInvalidations);
  for (const InvalidationOrigin origin : kAllOrigins) {
    for (const InvalidationTarget target : kAllTargets) {
      invalidations.Add({{"origin", Name(origin)}, {"target", Name(target)}},
                        static_cast<double>(invalidations_[Cell(target, origin)].Read()));
    }
  }
  FamilyBuilder durations(families::kInvalidationDuration);
  LatencyHistogram::Reading reading;
  reading.Add(invalidation_durations_);
  durations.Add({}, reading);
  std::move(invalidations).AppendTo(out);
  std::move(durations).AppendTo(out);
}

void Metrics::CollectMethods(std::vector<MetricFamily>& out) const {
  FamilyBuilder durations(families::kCallDuration);
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [method, metrics] : methods_) {
      for (size_t code = 0; code < kStatusCodes; ++code) {
        const LatencyHistogram::Reading reading = metrics->Durations(static_cast<absl::StatusCode>(code));
        // OK always, so that a method's first call is seen as an increase; of the errors, those that happened.
        if (code != 0 && reading.Total() == 0) continue;
        durations.Add({{"grpc_method", method}, {"grpc_status", kStatusNames[code]}}, reading);
      }
    }
  }
  std::move(durations).AppendTo(out);
}

}  // namespace credcache
