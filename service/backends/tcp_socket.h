// A TCP connection made within a deadline: libraries by themselves wait their whole timeout for each address of a name,
// or know no deadline at all.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"

namespace credcache {

// The descriptor, in blocking mode, of a connection to the first address of `host` that answers. UNAVAILABLE with the
// reason.
absl::StatusOr<int> ConnectTcp(const std::string& host, int port, Clock& clock, MonotonicTime deadline);

}  // namespace credcache
