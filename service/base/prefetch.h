// Has memory brought nearer before it is needed.
#pragma once

namespace credcache {

// The cache line of `address`, which need not be one that may be read. GCC takes a function that does nothing else for
// one without effect and leaves its calls out: hence the barrier, which is no instruction.
inline void Prefetch(const void* address) {
  __builtin_prefetch(address);
  asm volatile("");
}

}  // namespace credcache
