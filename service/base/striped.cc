#include "base/striped.h"

#include <sched.h>

#include <algorithm>
#include <bit>
#include <thread>

namespace credcache {
namespace {

size_t ChooseStripes() {
  const size_t processors = std::max(std::thread::hardware_concurrency(), 1u);
  return std::min<size_t>(std::bit_ceil(processors), 64);
}

}  // namespace

size_t Stripes() {
  static const size_t stripes = ChooseStripes();
  return stripes;
}

// A load from memory that the kernel keeps current (rseq); -1, where a kernel has nothing of the kind, is a stripe too.
size_t CurrentStripe() { return static_cast<size_t>(sched_getcpu()) & (Stripes() - 1); }

}  // namespace credcache
