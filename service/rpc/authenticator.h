// One log-on, from the checked request to the answer: what the caller may do, the realm, the validator, and what is
// counted and audited of it. Knows nothing of calls; authenticate_call, batch_call and stream_call all stand on it.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "audit/audit_log.h"
#include "base/clock.h"
#include "base/reporter.h"
#include "metrics/metrics.h"
#include "rpc/callers.h"
#include "rpc/log_on.h"
#include "rpc/prepared_log_on.h"
#include "validator/realms.h"
#include "validator/validator.h"

namespace credcache {

// Thread-safe. Outlives the validators of the realms it was given.
class Authenticator {
 public:
  using Later = absl::AnyInvocable<void(LogOnAnswer)>;

  Authenticator(Clock& clock, Metrics& metrics, AuditLog& audit, Reporter& reporter);

  // The answer, if it is there at once, as every hit's is; nothing is then allocated. Otherwise `wait` is called, still
  // on this thread, for whoever takes the answer: that is called once, perhaps before this returns, perhaps long after
  // `deadline`. `log_on`, made ready for `realms`, and `caller` are needed only until this returns. `began` is when the
  // request came, from which its duration counts, and against which the cache holds its limits.
  std::optional<LogOnAnswer> Authenticate(const Caller& caller, const PreparedLogOn& log_on,
                                          const std::shared_ptr<const Realms>& realms, MonotonicTime began,
                                          MonotonicTime deadline, absl::FunctionRef<Later()> wait);

 private:
  struct Decided;
  class UnderWay;
  static constexpr size_t kRealmsByIndex = 1024;

  LogOnAnswer Reject(const Caller& caller, const LogOnRequest& request, absl::string_view realm, AuditReason reason,
                     RealmMetrics& metrics, MonotonicTime began);
  // Counts and audits a decision that has come now, and returns that moment.
  MonotonicTime Record(const Decided& decided, const Verdict& verdict);
  RealmMetrics& MetricsOf(const Realm& realm);

  Clock& clock_;
  Metrics& metrics_;
  AuditLog& audit_;
  Reporter& reporter_;
  RealmMetrics& no_realm_;
  // By RealmId, so that a hit looks no name up; filled in as realms are used.
  std::array<std::atomic<RealmMetrics*>, kRealmsByIndex> realm_metrics_ = {};
};

}  // namespace credcache
