// credcachectl authenticate: is this user's password good, and how does the service know.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "cli/connection.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "credcache/v1/authenticate.pb.h"

namespace credcache::cli {

struct AuthenticateOptions {
  std::string username;
  std::string realm;
  std::string protocol;
  std::string client_address;
  std::optional<absl::Duration> max_age;
  std::string password_file;
};

CLI::App* DefineAuthenticate(CLI::App& app, AuthenticateOptions& options);

ExitCode RunAuthenticate(const ConnectionOptions& connection, const AuthenticateOptions& options, Console& console);

// The answer for a person; `took` is the call's own time, without connecting.
std::string DescribeAnswer(const v1::AuthenticateResponse& response, absl::Duration took, absl::Time now);

}  // namespace credcache::cli
