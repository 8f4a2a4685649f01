// What happens when the system has no more memory to give.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace credcache {

// Says so and ends the process: a cache that could not grow could not keep its promises either, and a restart is clean.
[[noreturn]] inline void OutOfMemory() {
  std::fputs("credcache: out of memory\n", stderr);
  std::abort();
}

}  // namespace credcache
