// credcachectl hash: a password's hash, for the password file. Needs no server.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/password_hash.h"

namespace credcache::cli {

struct HashOptions {
  HashKind kind = HashKind::kYescrypt;
  std::string user;
  bool whole_line = false;  // --user was given
  std::string password_file;
};

CLI::App* DefineHash(CLI::App& app, HashOptions& options);

ExitCode RunHash(const HashOptions& options, Console& console);

}  // namespace credcache::cli
