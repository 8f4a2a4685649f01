// A TCP connection made within a deadline: libldap by itself would wait its whole timeout for each address of a name.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"

namespace credcache {

// The descriptor, in blocking mode, of a connection to the first address of `host` that answers. No later read or write
// on it blocks for longer than from now to `deadline`. UNAVAILABLE with the reason.
absl::StatusOr<int> ConnectTcp(const std::string& host, int port, Clock& clock, MonotonicTime deadline);

}  // namespace credcache
