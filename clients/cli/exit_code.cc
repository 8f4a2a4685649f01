#include "cli/exit_code.h"

namespace credcache::cli {

ExitCode ExitCodeOf(v1::Outcome outcome) {
  switch (outcome) {
    case v1::OUTCOME_ACCEPTED:
      return ExitCode::kDone;
    case v1::OUTCOME_REJECTED:
      return ExitCode::kRejected;
    case v1::OUTCOME_THROTTLED:
    case v1::OUTCOME_ACCOUNT_DISABLED:
    case v1::OUTCOME_PASSWORD_EXPIRED:
      return ExitCode::kRefused;
    default:
      return ExitCode::kUnavailable;
  }
}

ExitCode ExitCodeOf(const grpc::Status& status) {
  if (status.ok()) return ExitCode::kDone;
  return status.error_code() == grpc::StatusCode::INVALID_ARGUMENT ? ExitCode::kUsage : ExitCode::kUnavailable;
}

}  // namespace credcache::cli
