// Durations on the command line and in tables.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace credcache::cli {

// "500ms", "30s", "120m", "2h", "1h30m", "0". INVALID_ARGUMENT, with what was expected, for anything else, below zero,
// or over a year.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

// The two units that matter: "2h3m", "3m12s", "4.2s", "12ms".
std::string Rough(absl::Duration duration);

// An option that takes a duration of at least `least`.
CLI::Option* AddDuration(CLI::App& app, const std::string& flag, absl::Duration least,
                         std::function<void(absl::Duration)> set, const std::string& help);

}  // namespace credcache::cli
