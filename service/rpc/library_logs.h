// What gRPC and Protobuf have to say goes to a Reporter, rather than as plain text among the JSON lines on stderr.
#pragma once

#include "base/reporter.h"

namespace credcache {

// For the whole process. `reporter` may be null: they are silent. Whoever owns the reporter calls this again with null
// before it goes.
void RouteLibraryLogs(Reporter* reporter);

}  // namespace credcache
