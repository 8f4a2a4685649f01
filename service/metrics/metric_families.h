// Every metric's name, type and help text: the one list of them (api.md, section 3).
//
// Left out until there is something to count: credcache_sessions_opened_total comes with sessions. A counter that
// cannot move would tell an operator that all is quiet.
#pragma once

#include "prometheus/metric_type.h"

namespace credcache {

struct FamilySpec {
  const char* name;
  prometheus::MetricType type;
  const char* help;
};

namespace families {

using enum prometheus::MetricType;

inline constexpr FamilySpec kAuthentications = {
    "credcache_authentications_total", Counter,
    "Decisions, by realm (empty: none that is configured), protocol, outcome and source (none: decided without cache "
    "or backend)."};
inline constexpr FamilySpec kAuthenticationDuration = {"credcache_authentication_duration_seconds", Histogram,
                                                       "Time from a request to its decision, by source."};
inline constexpr FamilySpec kCacheEntries = {"credcache_cache_entries", Gauge,
                                             "Credentials remembered: good ones (positive) and bad ones (negative)."};
inline constexpr FamilySpec kCacheBytes = {"credcache_cache_bytes", Gauge, "Memory that the cache takes, all told."};
inline constexpr FamilySpec kCacheHits = {"credcache_cache_hits_total", Counter,
                                          "Look-ups answered from the cache, by good and by bad entries."};
inline constexpr FamilySpec kCacheMisses = {"credcache_cache_misses_total", Counter,
                                            "Look-ups that the cache could not answer, by reason."};
inline constexpr FamilySpec kCacheEvictions = {"credcache_cache_evictions_total", Counter,
                                               "Entries that gave way to others because the cache was full."};
inline constexpr FamilySpec kCoalesced = {"credcache_coalesced_total", Counter,
                                          "Requests that shared the validation of another under way."};
inline constexpr FamilySpec kThrottled = {
    "credcache_throttled_total", Counter,
    "Answers of THROTTLED, by reason: too many wrong passwords for an account (account), from one known address "
    "(known_address), too many users that failed at an address (address), or one more rejection might lock the account "
    "(budget)."};
inline constexpr FamilySpec kThrottleDryRun = {"credcache_throttle_dry_run_total", Counter,
                                               "What would have been THROTTLED, but for throttle.dry_run, by reason."};
inline constexpr FamilySpec kBackendRequests = {
    "credcache_backend_requests_total", Counter,
    "Requests to a backend that ended, by result (error: it gave no answer; overload: not sent, too many waited; "
    "circuit_open: not sent, the backend had stopped answering)."};
inline constexpr FamilySpec kBackendDuration = {
    "credcache_backend_duration_seconds", Histogram,
    "Time from a request to a backend to its answer or failure, waiting for a free connection or worker included."};
inline constexpr FamilySpec kBackendInFlight = {"credcache_backend_in_flight", Gauge,
                                                "Requests to a backend under way or waiting."};
inline constexpr FamilySpec kBackendWaiting = {"credcache_backend_waiting", Gauge,
                                               "Requests to a backend that wait for a free connection or worker."};
inline constexpr FamilySpec kBackendCircuit = {
    "credcache_backend_circuit", Gauge,
    "The backend's circuit breaker: 0 closed (it is asked), 1 half open (one request tries whether it answers again), "
    "2 "
    "open (it has stopped answering, and is not asked for a moment); left out where there is none."};
inline constexpr FamilySpec kBackendFeedUp = {
    "credcache_backend_feed_up", Gauge,
    "1 while changes at the backend are heard of, 0 while its change feed is down; left out where there is none."};
inline constexpr FamilySpec kInvalidations = {
    "credcache_invalidations_total", Counter,
    "Invalidations applied, by what they cover and where they came from (caller, feed, replica, reload)."};
inline constexpr FamilySpec kInvalidationDuration = {
    "credcache_invalidation_duration_seconds", Histogram,
    "Time from an invalidation's request to the moment from which nothing that it covers is answered from the cache."};
inline constexpr FamilySpec kJournalRevision = {"credcache_journal_revision", Gauge,
                                                "Last revision of the journal that was applied."};
inline constexpr FamilySpec kJournalLeaseValid = {
    "credcache_journal_lease_valid", Gauge, "1 while the cache may be trusted; always 1 with the in-memory journal."};
inline constexpr FamilySpec kCallDuration = {"grpc_server_call_duration_seconds", Histogram,
                                             "Time from a gRPC call's arrival to its status, by method and status."};
inline constexpr FamilySpec kBuildInfo = {"credcache_build_info", Gauge,
                                          "Always 1; the labels say which build of the program this is."};

inline constexpr FamilySpec kProcessCpu = {"process_cpu_seconds_total", Counter,
                                           "Total user and system CPU time spent in seconds."};
inline constexpr FamilySpec kProcessOpenFds = {"process_open_fds", Gauge, "Number of open file descriptors."};
inline constexpr FamilySpec kProcessMaxFds = {"process_max_fds", Gauge, "Maximum number of open file descriptors."};
inline constexpr FamilySpec kProcessVirtualMemory = {"process_virtual_memory_bytes", Gauge,
                                                     "Virtual memory size in bytes."};
inline constexpr FamilySpec kProcessResidentMemory = {"process_resident_memory_bytes", Gauge,
                                                      "Resident memory size in bytes."};
inline constexpr FamilySpec kProcessStartTime = {"process_start_time_seconds", Gauge,
                                                 "Start time of the process since unix epoch in seconds."};
inline constexpr FamilySpec kProcessThreads = {"process_threads", Gauge, "Number of threads in the process."};

}  // namespace families
}  // namespace credcache
