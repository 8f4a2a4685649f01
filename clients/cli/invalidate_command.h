// credcachectl invalidate: forget a user, a session, a realm, or all.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "credcache/v1/invalidate.pb.h"

namespace credcache::cli {

struct InvalidateOptions {
  std::string user;
  std::string session;
  std::string realm;
  bool all = false;
  std::string reason;
  bool lift_retired = false;
};

CLI::App* DefineInvalidate(CLI::App& app, InvalidateOptions& options);

ExitCode RunInvalidate(const ConnectionOptions& connection, const InvalidateOptions& options, Console& console);

// INVALID_ARGUMENT unless the options name exactly one target.
absl::StatusOr<v1::InvalidateRequest> MakeInvalidateRequest(const InvalidateOptions& options);

}  // namespace credcache::cli
