// What the methods of the service share, whichever listener a call came in by.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "audit/audit_log.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/reporter.h"
#include "cache/cache.h"
#include "journal/journal.h"
#include "metrics/metrics.h"
#include "rpc/authenticator.h"
#include "rpc/callers.h"
#include "rpc/in_flight.h"
#include "rpc/invalidator.h"
#include "rpc/stream_registry.h"
#include "validator/realms.h"

namespace credcache {

// Who this process is, for Stats.
struct ReplicaInfo {
  std::string name;
  std::string version;
  absl::Time started_at;
};

struct StreamLimits {
  size_t max_unanswered = kMaxStreamUnanswered;            // with so many unanswered or unsent, reading stops
  absl::Duration default_timeout = kDefaultStreamTimeout;  // of a request that names none
  absl::Duration write_stall = kMaxStreamWriteStall;       // the client reads nothing for so long: the stream ends
  absl::Duration max_age = absl::InfiniteDuration();       // then the stream ends as at a drain
};

// All of them thread-safe, and alive for longer than the servers, their calls and the flights that calls began.
struct RpcParts {
  Clock& clock;
  Reporter& reporter;
  Metrics& metrics;
  AuditLog& audit;
  const CurrentRealms& realms;
  const CurrentCallers& callers;
  Authenticator& authenticator;
  Invalidator& invalidator;
  const Cache* cache;  // null: the cache is off
  const Journal& journal;
  InFlight& in_flight;
  StreamRegistry& streams;
  ReplicaInfo replica;
  StreamLimits stream_limits;
};

// Where a call came in.
struct Listener {
  Transport transport = Transport::kClearText;
  std::string socket_caller;  // whom a unix socket stands for; empty: nobody
};

}  // namespace credcache
