// What credcachectl's exit codes mean, and which answer gets which.
#pragma once

#include <grpcpp/support/status.h>

#include "credcache/v1/authenticate.pb.h"

namespace credcache::cli {

enum class ExitCode : int {
  kDone = 0,         // accepted, or done
  kRejected = 1,     // unknown user or wrong password
  kUsage = 2,        // the command line, a file that it names, or a request that the service calls invalid
  kRefused = 3,      // throttled, account disabled, password expired
  kUnavailable = 4,  // any other error: nothing was decided
};

// An outcome that this version does not know decides nothing: kUnavailable.
ExitCode ExitCodeOf(v1::Outcome outcome);
ExitCode ExitCodeOf(const grpc::Status& status);

}  // namespace credcache::cli
