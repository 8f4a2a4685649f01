#include "load/mix.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace credcache::load {
namespace {

constexpr std::array<absl::string_view, kKinds> kNames = {"hit", "miss", "wrong"};

absl::Status Bad(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("--mix \"", text, "\": ", why, "; expected weights such as hit=98,miss=2,wrong=0"));
}

}  // namespace

absl::StatusOr<Mix> ParseMix(absl::string_view text) {
  Mix mix{.weights = {}};
  std::array<bool, kKinds> seen = {};
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(part, absl::MaxSplits('=', 1));
    const auto* const name = std::find(kNames.begin(), kNames.end(), pair.first);
    if (name == kNames.end()) return Bad(text, absl::StrCat("there is no kind \"", pair.first, "\""));
    const auto kind = static_cast<size_t>(name - kNames.begin());
    if (seen[kind]) return Bad(text, absl::StrCat(*name, " is there twice"));
    seen[kind] = true;
    double& weight = mix.weights[kind];
    if (!absl::SimpleAtod(pair.second, &weight) || !std::isfinite(weight) || weight < 0) {
      return Bad(text, absl::StrCat("\"", pair.second, "\" is no weight"));
    }
  }
  if (mix.total() <= 0) return Bad(text, "all weights are zero");
  return mix;
}

}  // namespace credcache::load
