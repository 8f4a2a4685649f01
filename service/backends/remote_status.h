// What a gRPC error says, for logs.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "base/secret.h"

namespace credcache {

// "DEADLINE_EXCEEDED: Deadline Exceeded": the code's name and the text, in one line of ASCII or UTF-8 without controls,
// cut if it is long. A text that holds `secret` (which is not empty, or of no concern) is left out.
std::string StatusText(const grpc::Status& status, SecretView secret = {});

}  // namespace credcache
