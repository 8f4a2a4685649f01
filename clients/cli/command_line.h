// credcachectl's options and commands.
#pragma once

#include "cli/connection.h"
#include "cli/output.h"

namespace credcache::cli {

// Parses, runs the one command, and returns the exit code (exit_code.h). `console.json` is set here.
int RunCommandLine(int argc, const char* const* argv, Console& console);

}  // namespace credcache::cli
