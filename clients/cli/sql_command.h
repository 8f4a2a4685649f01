// credcachectl sql: prints the trigger by which a PostgreSQL database tells credcached what changes (service/docs,
// `postgres`, `feed`). Needs no server.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace credcache::cli {

struct SqlOptions {
  std::string table = "account";  // or schema.table
  std::string column = "name";    // whose value is the user's name
  std::string channel = "credcache";
  std::vector<std::string> watch;  // columns that matter; none: all do
};

CLI::App* DefineSql(CLI::App& app, SqlOptions& options);

ExitCode RunSql(const SqlOptions& options, Console& console);

// The script, for psql. INVALID_ARGUMENT: a name that PostgreSQL could not have, or would cut.
absl::StatusOr<std::string> FeedSql(const SqlOptions& options);

}  // namespace credcache::cli
