// What kinds of log-on a run is made of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace credcache::load {

enum class Kind : uint8_t {
  kHit,    // a user of [0, users) with the right password
  kMiss,   // a user who has not been asked for before
  kWrong,  // a user of [0, users) with a wrong password, each time the same
};
inline constexpr size_t kKinds = 3;

// Weights, by Kind; at least one is above zero.
struct Mix {
  std::array<double, kKinds> weights = {1, 0, 0};

  double weight(Kind kind) const { return weights[static_cast<size_t>(kind)]; }
  double total() const { return weights[0] + weights[1] + weights[2]; }
};

// "hit=98,miss=2": weights of at least zero; a kind that is not named has none. INVALID_ARGUMENT says what was
// expected.
absl::StatusOr<Mix> ParseMix(absl::string_view text);

}  // namespace credcache::load
