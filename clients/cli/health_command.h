// credcachectl health: does the server serve (gRPC health checking protocol, grpc.health.v1).
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "cli/connection.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace credcache::cli {

struct HealthOptions {
  std::string service;  // empty: the server as a whole
};

CLI::App* DefineHealth(CLI::App& app, HealthOptions& options);

ExitCode RunHealth(const ConnectionOptions& connection, const HealthOptions& options, Console& console);

}  // namespace credcache::cli
