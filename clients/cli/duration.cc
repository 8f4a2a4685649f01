#include "cli/duration.h"

#include <CLI/Error.hpp>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace credcache::cli {

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration() || duration > absl::Hours(24 * 366)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text, "\" is not a duration; expected a number with its unit, such as 500ms, 30s, 5m or 2h"));
  }
  return duration;
}

std::string Rough(absl::Duration duration) {
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 0.001) return absl::StrFormat("%.0fus", seconds * 1e6);
  if (seconds < 0.01) return absl::StrFormat("%.1fms", seconds * 1e3);
  if (seconds < 1) return absl::StrFormat("%.0fms", seconds * 1e3);
  if (seconds < 10) return absl::StrFormat("%.1fs", seconds);
  const int64_t whole = absl::ToInt64Seconds(duration);
  if (whole < 60) return absl::StrCat(whole, "s");
  if (whole < 60 * 60) return absl::StrCat(whole / 60, "m", whole % 60, "s");
  if (whole < 48 * 60 * 60) return absl::StrCat(whole / 3600, "h", whole / 60 % 60, "m");
  return absl::StrCat(whole / 86400, "d", whole / 3600 % 24, "h");
}

CLI::Option* AddDuration(CLI::App& app, const std::string& flag, absl::Duration least,
                         std::function<void(absl::Duration)> set, const std::string& help) {
  return app
      .add_option_function<std::string>(
          flag,
          [flag, least, set = std::move(set)](const std::string& text) {
            const absl::StatusOr<absl::Duration> duration = ParseDuration(text);
            if (!duration.ok()) throw CLI::ValidationError(flag, std::string(duration.status().message()));
            if (*duration < least) {
              throw CLI::ValidationError(flag, absl::StrCat("at least ", absl::FormatDuration(least), " is expected"));
            }
            set(*duration);
          },
          help)
      ->type_name("DURATION");
}

}  // namespace credcache::cli
