// What is counted and audited of an invalidation at its end, whoever began it.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "audit/audit_log.h"
#include "journal/journal.h"
#include "metrics/metrics.h"

namespace credcache {

// `event` says who asked for what, and why; the rest of it is filled in here. `appended` not OK: it was applied here
// all the same, and whoever asked was told to retry.
void RecordInvalidation(Metrics& metrics, AuditLog& audit, InvalidationTarget target, InvalidationOrigin origin,
                        absl::Duration duration, InvalidationEvent event, const absl::StatusOr<Appended>& appended);

}  // namespace credcache
