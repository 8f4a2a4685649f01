// Durations as the configuration writes them (api.md, section 2): a whole number and one of ms, s, m, h.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace credcache {

// "500ms", "30s", "120m", "2h", "0s". Nothing for anything else: no sign, no fraction, no space, no bare number, at
// most nine digits.
std::optional<absl::Duration> ParseDuration(absl::string_view text);

// In the largest unit that is exact: "2h" for 120 minutes. What is finer than a millisecond is left out.
std::string DurationText(absl::Duration duration);

}  // namespace credcache
