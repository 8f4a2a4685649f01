// Randomness that a test can foresee.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "base/random.h"

namespace credcache {

// The bytes given, and then zeros for ever.
class ScriptedRandomness final : public Randomness {
 public:
  explicit ScriptedRandomness(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}
  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = next_ < bytes_.size() ? bytes_[next_++] : 0;
  }

 private:
  std::vector<uint8_t> bytes_;
  size_t next_ = 0;
};

// Always the same for the same seed.
class SeededRandomness final : public Randomness {
 public:
  explicit SeededRandomness(uint64_t seed) : generator_(seed) {}
  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(generator_());
  }

 private:
  std::mt19937_64 generator_;
};

}  // namespace credcache
