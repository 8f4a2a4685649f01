// How many wait for something: told by a queue, read by metrics.
#pragma once

#include <atomic>
#include <cstdint>

namespace credcache {

// Thread-safe.
using Waiting = std::atomic<int64_t>;

}  // namespace credcache
