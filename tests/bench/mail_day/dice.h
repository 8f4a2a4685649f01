// The randomness of a simulated day: the same numbers for the same seed, with every compiler and library.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>

namespace credcache::mail_day {

// Not thread-safe. The standard's distributions may differ from one library to the next, so these are our own.
class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}

  // At least 0, below 1.
  double Fraction() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  bool Chance(double probability) { return Fraction() < probability; }
  // Both ends included.
  int64_t Between(int64_t first, int64_t last) {
    return first + static_cast<int64_t>(Fraction() * static_cast<double>(last - first + 1));
  }
  // The time until the next event of a Poisson process.
  double Exponential(double mean) { return -mean * std::log(1.0 - Fraction()); }
  double Normal(double mean, double deviation) {
    const double radius = std::sqrt(Exponential(2.0));
    return mean + deviation * radius * std::cos(2.0 * 3.14159265358979323846 * Fraction());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace credcache::mail_day
