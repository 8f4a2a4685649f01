// Randomness, injected.
#pragma once

#include <cstdint>
#include <span>

namespace credcache {

// Thread-safe.
class Randomness {
 public:
  virtual ~Randomness() = default;
  // Fills `out`.
  virtual void Fill(std::span<uint8_t> out) = 0;
  // 64 bits, for the seed of a hash.
  uint64_t Bits();
  // A number below `bound`, which is at least 1; every one as likely.
  uint64_t Below(uint64_t bound);
};

// OpenSSL's generator (RAND_bytes): fit for keys. Ends the process when the generator fails, since nothing safe can
// follow.
class SystemRandomness final : public Randomness {
 public:
  void Fill(std::span<uint8_t> out) override;
};

}  // namespace credcache
