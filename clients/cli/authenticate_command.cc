#include "cli/authenticate_command.h"

#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "cli/duration.h"
#include "cli/error_report.h"
#include "cli/password_input.h"
#include "cli/table.h"
#include "cli/utf8.h"
#include "credcache/v1/auth_service.grpc.pb.h"

namespace credcache::cli {
namespace {

std::string OutcomeText(v1::Outcome outcome) {
  switch (outcome) {
    case v1::OUTCOME_ACCEPTED:
      return "ACCEPTED";
    case v1::OUTCOME_REJECTED:
      return "REJECTED: unknown user or wrong password";
    case v1::OUTCOME_THROTTLED:
      return "THROTTLED: too many failures; this says nothing about the password";
    case v1::OUTCOME_ACCOUNT_DISABLED:
      return "ACCOUNT DISABLED (the password is right)";
    case v1::OUTCOME_PASSWORD_EXPIRED:
      return "PASSWORD EXPIRED, or it must be changed (the password is right)";
    default:
      return absl::StrCat("an outcome that this version does not know: ", static_cast<int>(outcome));
  }
}

std::string SourceText(v1::Source source) {
  switch (source) {
    case v1::SOURCE_CACHE:
      return "CACHE, no backend was asked";
    case v1::SOURCE_BACKEND:
      return "BACKEND, asked for this log-on";
    case v1::SOURCE_COALESCED:
      return "COALESCED, shares the validation of an equal log-on";
    case v1::SOURCE_STALE:
      return "STALE, past its age limit, since no backend answers";
    default:
      return "not said";
  }
}

v1::AuthenticateRequest MakeRequest(const AuthenticateOptions& options, const Password& password) {
  v1::AuthenticateRequest request;
  auto& credential = *request.mutable_password();
  credential.set_realm(options.realm);
  credential.set_username(options.username);
  credential.set_password(password.view().data(), password.view().size());
  request.mutable_context()->set_protocol(options.protocol);
  request.mutable_context()->set_client_address(options.client_address);
  if (options.max_age) {
    const absl::Duration seconds = absl::Trunc(*options.max_age, absl::Seconds(1));
    request.mutable_max_age()->set_seconds(absl::ToInt64Seconds(seconds));
    request.mutable_max_age()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(*options.max_age - seconds)));
  }
  return request;
}

}  // namespace

CLI::App* DefineAuthenticate(CLI::App& app, AuthenticateOptions& options) {
  CLI::App* command = app.add_subcommand("authenticate", "Check a user's password");
  command->add_option("USER", options.username, "The user's name; also DOMAIN\\user or user@domain")
      ->required()
      ->check(Utf8())
      ->type_name("");
  command->add_option("--realm", options.realm, "The realm; by default taken from the name, else the service's default")
      ->check(Utf8())
      ->type_name("REALM");
  command->add_option("--protocol", options.protocol, "The protocol to log on by: imap, pop3, smtp, http, ...")
      ->check(Utf8())
      ->type_name("NAME");
  command->add_option("--client-address", options.client_address, "The IP address of the person's machine")
      ->check(Utf8())
      ->type_name("IP");
  AddDuration(
      *command, "--max-age", absl::ZeroDuration(), [&options](absl::Duration max_age) { options.max_age = max_age; },
      "Take a cached verdict only if validated within this time; 0: validate now");
  command
      ->add_option("--password-file", options.password_file,
                   "Read the password from FILE; - or not given: ask at the terminal, else read the standard input")
      ->type_name("FILE");
  command->footer(
      "The password is never taken from the command line. One line end at its end is removed.\n\n"
      "Exit code: 0 accepted, 1 rejected, 2 usage, 3 throttled, disabled or expired, 4 unavailable.\n\n"
      "Examples:\n"
      "  credcachectl authenticate alice\n"
      "  credcachectl authenticate alice@corp.example --protocol imap --client-address 192.0.2.7\n"
      "  printf %s \"$PASSWORD\" | credcachectl --json authenticate alice --realm corp.example\n"
      "  credcachectl authenticate alice --max-age 0 --password-file alice.secret\n");
  return command;
}

ExitCode RunAuthenticate(const ConnectionOptions& connection_options, const AuthenticateOptions& options,
                         Console& console) {
  const absl::StatusOr<Connection> connection = Connection::Open(connection_options);
  if (!connection.ok()) return ReportError(connection.status(), console);
  // Asked before the clock of the call starts.
  absl::StatusOr<Password> password =
      ReadPassword(options.password_file, absl::StrCat("Password of ", Printable(options.username), ": "), console);
  if (!password.ok()) return ReportError(password.status(), console);

  v1::AuthenticateRequest request = MakeRequest(options, *password);
  *password = Password();
  v1::AuthenticateResponse response;
  absl::Duration took;
  const auto stub = v1::AuthService::NewStub(connection->channel());
  const grpc::Status status = connection->Call([&](grpc::ClientContext& context) {
    const absl::Time begin = absl::Now();
    grpc::Status result = stub->Authenticate(&context, request, &response);
    took = absl::Now() - begin;
    return result;
  });
  Wipe(*request.mutable_password()->mutable_password());
  if (!status.ok()) return ReportError(status, console);
  console.out << (console.json ? ToJson(response) + "\n" : DescribeAnswer(response, took, absl::Now()));
  return ExitCodeOf(response.outcome());
}

std::string DescribeAnswer(const v1::AuthenticateResponse& response, absl::Duration took, absl::Time now) {
  Table table({{"", Table::Align::kLeft}, {"", Table::Align::kLeft}});
  const auto add = [&table](absl::string_view label, std::string value) {
    if (!value.empty()) table.Add({absl::StrCat("  ", label), std::move(value)});
  };
  add("source", SourceText(response.source()));
  add("time", Rough(took));
  if (response.has_identity()) {
    const v1::Identity& identity = response.identity();
    add("user", absl::StrCat(Printable(identity.username()), " in ", Printable(identity.realm())));
    add("subject", Printable(identity.subject()));
    add("groups", Printable(absl::StrJoin(identity.groups(), ", ")));
    for (const auto& [name, value] : identity.attributes()) add(Printable(name), Printable(value));
  }
  if (response.has_validated_at()) add("validated", TimeAndDistance(ToTime(response.validated_at()), now));
  if (response.has_expires_at()) add("expires", TimeAndDistance(ToTime(response.expires_at()), now));
  if (response.has_retry_after()) {
    add("try again", absl::StrCat("in ", Rough(absl::Seconds(response.retry_after().seconds()) +
                                               absl::Nanoseconds(response.retry_after().nanos()))));
  }
  return absl::StrCat(OutcomeText(response.outcome()), "\n", table.Render());
}

}  // namespace credcache::cli
