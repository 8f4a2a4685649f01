#include "cli/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/authenticate_command.h"
#include "cli/duration.h"
#include "cli/error_report.h"
#include "cli/exit_code.h"
#include "cli/hash_command.h"
#include "cli/health_command.h"
#include "cli/invalidate_command.h"
#include "cli/sql_command.h"
#include "cli/stats_command.h"

namespace credcache::cli {
namespace {

void DefineCommon(CLI::App& app, ConnectionOptions& connection, bool& json) {
  app.add_option("--address", connection.address, "HOST:PORT or unix:/PATH; 127.0.0.1:50051 by default")
      ->envname("CREDCACHE_ADDRESS")
      ->type_name("ADDRESS");
  app.add_flag("--json", json, "Answers, and errors on stderr, as protobuf JSON, one object a line");
  app.add_option("--ca", connection.tls.ca, "Speak TLS, and trust the authorities in FILE (PEM)")->type_name("FILE");
  app.add_option("--certificate", connection.tls.certificate, "Our certificate (PEM), with --key")->type_name("FILE");
  app.add_option("--key", connection.tls.key, "Its private key (PEM, not encrypted)")->type_name("FILE");
  app.add_option("--token-file", connection.token_file, "Our bearer token; over TLS or a unix socket only")
      ->type_name("FILE");
  AddDuration(
      app, "--timeout", absl::Milliseconds(1), [&connection](absl::Duration timeout) { connection.timeout = timeout; },
      "For connecting and the answer together; 10s by default");
}

// CLI11 repeats what it did not expect; that may be a password.
std::string ParseErrorText(const CLI::ParseError& error, const CLI::App& app) {
  const bool extras = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
  const auto commands = app.get_subcommands();
  const std::string command = commands.empty() ? "" : " " + commands.front()->get_name();
  std::string text = extras && (command == " authenticate" || command == " hash")
                         ? "there is an argument too many, or an option that is not known; a password is never taken "
                           "from the command line"
                         : std::string(error.what());
  if (!absl::EndsWith(text, ".")) text += ".";
  return absl::StrCat(text, " See credcachectl", command, " --help");
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv, Console& console) {
  ConnectionOptions connection;
  AuthenticateOptions authenticate;
  InvalidateOptions invalidate;
  StatsOptions stats;
  HealthOptions health;
  HashOptions hash;
  SqlOptions sql;

  CLI::App app("Checks log-ons at a credcache service, makes it forget them, and shows how it does.", "credcachectl");
  app.set_version_flag("--version", "credcachectl " CREDCACHE_VERSION);
  app.set_help_flag("--help,-h", "Print this help and exit");
  app.require_subcommand(1);
  app.fallthrough();  // the common options may stand after the command, too
  DefineCommon(app, connection, console.json);
  app.footer(
      "Environment: CREDCACHE_ADDRESS stands for --address.\n\n"
      "Exit code: 0 accepted or done, 1 rejected, 2 usage, 3 throttled, disabled or expired, 4 unavailable.\n\n"
      "Examples:\n"
      "  credcachectl authenticate alice\n"
      "  credcachectl --address unix:/run/credcache.sock stats --watch\n"
      "  credcachectl --address auth.example.org:50051 --ca ca.pem --certificate me.pem --key me.key invalidate "
      "--all\n");
  const CLI::App* authenticate_command = DefineAuthenticate(app, authenticate);
  const CLI::App* invalidate_command = DefineInvalidate(app, invalidate);
  const CLI::App* stats_command = DefineStats(app, stats);
  const CLI::App* health_command = DefineHealth(app, health);
  const CLI::App* hash_command = DefineHash(app, hash);
  const CLI::App* sql_command = DefineSql(app, sql);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way, too.
    if (error.get_exit_code() == 0) return app.exit(error, console.out, console.err);
    // Where parsing stopped, --json may not have been seen yet.
    console.json = std::any_of(argv, argv + argc, [](absl::string_view argument) { return argument == "--json"; });
    return static_cast<int>(ReportError(absl::InvalidArgumentError(ParseErrorText(error, app)), console));
  }

  ExitCode code = ExitCode::kUsage;
  if (authenticate_command->parsed()) code = RunAuthenticate(connection, authenticate, console);
  if (invalidate_command->parsed()) code = RunInvalidate(connection, invalidate, console);
  if (stats_command->parsed()) code = RunStats(connection, stats, console);
  if (health_command->parsed()) code = RunHealth(connection, health, console);
  if (hash_command->parsed()) code = RunHash(hash, console);
  if (sql_command->parsed()) code = RunSql(sql, console);
  console.out.flush();
  if (!console.out)
    return static_cast<int>(ReportError(absl::DataLossError("the answer could not be written"), console));
  return static_cast<int>(code);
}

}  // namespace credcache::cli
