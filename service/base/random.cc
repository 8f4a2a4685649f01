#include "base/random.h"

#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>
#include <limits>

namespace credcache {

uint64_t Randomness::Bits() {
  uint64_t bits = 0;
  Fill({reinterpret_cast<uint8_t*>(&bits), sizeof(bits)});
  return bits;
}

uint64_t Randomness::Below(uint64_t bound) {
  // Values of the last, incomplete run of `bound` numbers are drawn again, so that none is likelier than another.
  const uint64_t limit = std::numeric_limits<uint64_t>::max() - std::numeric_limits<uint64_t>::max() % bound;
  uint64_t value = 0;
  do {
    value = Bits();
  } while (value >= limit);
  return value % bound;
}

void SystemRandomness::Fill(std::span<uint8_t> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    std::fputs("credcache: the random number generator failed\n", stderr);
    std::abort();
  }
}

}  // namespace credcache
