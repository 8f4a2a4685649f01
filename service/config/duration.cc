#include "config/duration.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

struct Unit {
  absl::string_view name;
  absl::Duration length;
};

// From large to small.
const std::array<Unit, 4>& Units() {
  static const std::array<Unit, 4> kUnits = {{
      {"h", absl::Hours(1)},
      {"m", absl::Minutes(1)},
      {"s", absl::Seconds(1)},
      {"ms", absl::Milliseconds(1)},
  }};
  return kUnits;
}

constexpr size_t kMaxDigits = 9;

}  // namespace

std::optional<absl::Duration> ParseDuration(absl::string_view text) {
  const auto digits =
      static_cast<size_t>(std::find_if_not(text.begin(), text.end(), absl::ascii_isdigit) - text.begin());
  int64_t count = 0;
  if (digits == 0 || digits > kMaxDigits || !absl::SimpleAtoi(text.substr(0, digits), &count)) return std::nullopt;
  for (const Unit& unit : Units()) {
    if (text.substr(digits) == unit.name) return count * unit.length;
  }
  return std::nullopt;
}

std::string DurationText(absl::Duration duration) {
  if (duration == absl::ZeroDuration()) return "0s";
  for (const Unit& unit : Units()) {
    if (duration % unit.length == absl::ZeroDuration()) return absl::StrCat(duration / unit.length, unit.name);
  }
  return absl::StrCat(absl::ToInt64Milliseconds(duration), "ms");
}

}  // namespace credcache
