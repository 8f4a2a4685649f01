#include "rpc/invalidation_record.h"

#include <string>

#include "absl/status/status.h"

namespace credcache {

void RecordInvalidation(Metrics& metrics, AuditLog& audit, InvalidationTarget target, InvalidationOrigin origin,
                        absl::Duration duration, InvalidationEvent event, const absl::StatusOr<Appended>& appended) {
  metrics.CountInvalidation(target, origin, duration);
  event.target = Name(target);
  event.origin = Name(origin);
  const std::string code = absl::StatusCodeToString(appended.status().code());
  event.status = code;
  if (appended.ok()) {
    event.entries_removed = static_cast<uint64_t>(appended->entries_removed);
    event.revision = appended->revision.value();
  }
  audit.Record(event);
}

}  // namespace credcache
