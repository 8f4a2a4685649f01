// credcachectl stats: what a replica's cache does, once or as a live view.
#pragma once

#include <CLI/App.hpp>

#include "absl/time/time.h"
#include "cli/connection.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace credcache::cli {

struct StatsOptions {
  bool watch = false;
  absl::Duration interval = absl::Seconds(1);
  bool per_realm = false;
  bool per_bucket = false;
};

CLI::App* DefineStats(CLI::App& app, StatsOptions& options);

// With `watch`, until SIGINT or SIGTERM, which then end it cleanly.
ExitCode RunStats(const ConnectionOptions& connection, const StatsOptions& options, Console& console);

}  // namespace credcache::cli
