// credcache-peer-load: logs the benchmarks' users on at the programs that credcached is measured beside.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <string>

#include "cli/duration.h"
#include "peers/lane.h"
#include "peers/load.h"
#include "peers/report.h"
#include "workload/credentials.h"

namespace credcache::peers {
namespace {

constexpr uint32_t kMostConnections = 1024;
// What is unanswered on a connection fits into the socket's buffers, so that both ends may block.
constexpr uint32_t kMostPipelined = 512;
constexpr char kAbout[] =
    "Logs users on at another authentication server, as fast as it answers, and says how fast that is. The users are "
    "those\n"
    "of credcache-load: user-0000000.example with secret-0000000-word, and so on. Exit: 0; 1 a user was rejected; 2 "
    "usage;\n"
    "4 no server, or one that went away.";

struct Options {
  std::string address;
  uint32_t connections = 1;
  uint32_t in_flight = 1;
  bool json = false;
  LoadOptions load;
  std::string service = "imap";
  HttpOptions http;
  LdapOptions ldap;
};

void AddCommon(CLI::App& command, Options& options, const std::string& address_help) {
  command.add_option("--address", options.address, address_help)->required();
  command.add_option("--connections", options.connections, "Connections, each with a thread of its own")
      ->check(CLI::Range(1U, kMostConnections))
      ->capture_default_str();
  command.add_option("--users", options.load.users, "Users to draw from")
      ->check(CLI::Range(1U, workload::kFirstMissUser))
      ->capture_default_str();
  cli::AddDuration(
      command, "--duration", absl::Milliseconds(1), [&options](absl::Duration value) { options.load.duration = value; },
      "How long to measure; 5s");
  cli::AddDuration(
      command, "--warm-up", absl::ZeroDuration(), [&options](absl::Duration value) { options.load.warm_up = value; },
      "And how long before that; 1s");
  command.add_flag("--prime", options.load.prime, "First log each user on once");
  command.add_option("--seed", options.load.seed, "Of the order of users")->capture_default_str();
  command.add_flag("--json", options.json, "Print one JSON object, like credcache-load's");
}

void AddCommands(CLI::App& app, Options& options) {
  CLI::App* saslauthd = app.add_subcommand("saslauthd", "Cyrus saslauthd; a connection for each log-on");
  AddCommon(*saslauthd, options, "unix:PATH of its socket mux");
  saslauthd->add_option("--service", options.service, "The service to name")->capture_default_str();

  CLI::App* dovecot = app.add_subcommand("dovecot", "Dovecot auth, pipelined");
  AddCommon(*dovecot, options, "unix:PATH or HOST:PORT of an auth client listener");
  dovecot->add_option("--service", options.service, "The service to name")->capture_default_str();
  dovecot->add_option("--in-flight", options.in_flight, "Unanswered log-ons of each connection")
      ->check(CLI::Range(1U, kMostPipelined))
      ->capture_default_str();

  CLI::App* http = app.add_subcommand("http", "HTTP Basic over kept connections");
  AddCommon(*http, options, "HOST:PORT or unix:PATH");
  http->add_option("--path", options.http.path, "What to get")->capture_default_str();

  CLI::App* ldap = app.add_subcommand("ldap", "Simple binds by libldap over kept connections");
  AddCommon(*ldap, options, "ldap://HOST:PORT or ldaps://HOST:PORT");
  ldap->add_option("--dn", options.ldap.dn, "The DN to bind as")->capture_default_str();
  ldap->add_flag("--start-tls", options.ldap.start_tls, "TLS before anything else");
  ldap->add_option("--ca", options.ldap.ca, "PEM file: who signed the server's certificate")->check(CLI::ExistingFile);
}

LaneFactory FactoryOf(const std::string& kind, const Options& options) {
  if (kind == "saslauthd") {
    return [&options](uint32_t) { return NewSaslauthdLane({options.address, options.service}); };
  }
  if (kind == "dovecot") {
    return [&options](uint32_t number) {
      const auto client_id = static_cast<uint32_t>(getpid()) * kMostConnections + number;
      return NewDovecotLane({options.address, options.service, options.in_flight, client_id});
    };
  }
  if (kind == "http") return [&options](uint32_t) { return NewHttpLane({options.address, options.http.path}); };
  return [&options](uint32_t) {
    LdapOptions ldap = options.ldap;
    ldap.url = options.address;
    return NewLdapLane(ldap);
  };
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(kAbout);
  app.require_subcommand(1);
  AddCommands(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const std::string kind = app.get_subcommands()[0]->get_name();
  options.load.lanes = options.connections;
  Run run{kind,
          options.address,
          options.connections,
          options.connections * options.in_flight,
          options.load.users,
          RunLoad(options.load, FactoryOf(kind, options))};
  const absl::Status& error = run.result.error;
  if (!error.ok()) std::cerr << "credcache-peer-load: " << error.message() << "\n";
  if (options.json) {
    std::cout << Json(run);
  } else if (run.result.requests > 0) {
    std::cout << Text(run);
  }
  std::cout.flush();
  return std::cout ? ExitCode(error) : 4;
}

}  // namespace
}  // namespace credcache::peers

int main(int argc, char** argv) {
  // libldap writes to a connection that the server has closed.
  signal(SIGPIPE, SIG_IGN);
  return credcache::peers::Main(argc, argv);
}
