// How failures are told: what and why, for people or as JSON, always on stderr.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace credcache::cli {

// The lines for a person: the code and message, then what the details say (ErrorInfo's reason, BadRequest's fields,
// RetryInfo's delay).
std::string DescribeError(const grpc::Status& status);

// The google.rpc.Status that came, or one made from `status`, as JSON on one line. Details of types that are not known
// here are left out.
std::string ErrorJson(const grpc::Status& status);

// Writes a failed call to `console` and returns the exit code for it.
ExitCode ReportError(const grpc::Status& status, Console& console);

// The same for what went wrong before any call: INVALID_ARGUMENT is the user's to correct.
ExitCode ReportError(const absl::Status& status, Console& console);

}  // namespace credcache::cli
