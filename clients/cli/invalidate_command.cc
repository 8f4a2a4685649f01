#include "cli/invalidate_command.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/error_report.h"
#include "cli/password_input.h"
#include "cli/table.h"
#include "cli/utf8.h"
#include "credcache/v1/auth_service.grpc.pb.h"

namespace credcache::cli {
namespace {

std::string StateText(v1::ReplicaAcknowledgement::State state) {
  switch (state) {
    case v1::ReplicaAcknowledgement::STATE_ACKNOWLEDGED:
      return "has forgotten";
    case v1::ReplicaAcknowledgement::STATE_LEASE_EXPIRED:
      return "did not answer; its lease has passed, it trusts its cache no longer";
    default:
      return "state not known";
  }
}

std::string DescribeInvalidation(const v1::InvalidateResponse& response) {
  std::string text = absl::StrCat("done: ", Grouped(response.entries_removed()),
                                  response.entries_removed() == 1 ? " entry" : " entries", " forgotten, revision ",
                                  Grouped(response.revision()), "\n");
  Table table({{"", Table::Align::kLeft}, {"", Table::Align::kLeft}});
  for (const auto& replica : response.acknowledgements()) {
    table.Add({absl::StrCat("  ", Printable(replica.replica())), StateText(replica.state())});
  }
  return text + table.Render();
}

}  // namespace

CLI::App* DefineInvalidate(CLI::App& app, InvalidateOptions& options) {
  CLI::App* command = app.add_subcommand("invalidate", "Forget what is cached of a user, a session, a realm, or all");
  command->add_option("--user", options.user, "Forget this user, under all of its names")
      ->check(Utf8())
      ->type_name("USER");
  command
      ->add_option("--session", options.session,
                   "End the session of this token; -: read it as a password is read, so that no process list shows it")
      ->check(Utf8())
      ->type_name("TOKEN");
  command->add_option("--realm", options.realm, "With --user: the user's realm; alone: forget the whole realm")
      ->check(Utf8())
      ->type_name("REALM");
  command->add_flag("--all", options.all, "Forget everything");
  command->add_option("--reason", options.reason, "Why, for the audit log")->check(Utf8())->type_name("TEXT");
  command->add_flag("--lift-retired", options.lift_retired,
                    "A password that was refused because it had been changed (realm option retire) may be right again");
  command->footer(
      "When it has returned, no request that comes later is answered from the cache for what it covered.\n\n"
      "Examples:\n"
      "  credcachectl invalidate --user alice --realm corp.example --reason 'left the company'\n"
      "  credcachectl invalidate --realm corp.example\n"
      "  credcachectl --json invalidate --all\n");
  return command;
}

absl::StatusOr<v1::InvalidateRequest> MakeInvalidateRequest(const InvalidateOptions& options) {
  const bool whole_realm = !options.realm.empty() && options.user.empty();
  const int targets = static_cast<int>(!options.user.empty()) + static_cast<int>(!options.session.empty()) +
                      static_cast<int>(whole_realm) + static_cast<int>(options.all);
  if (targets != 1 || (!options.realm.empty() && (options.all || !options.session.empty()))) {
    return absl::InvalidArgumentError(
        "what is to be forgotten? Exactly one of --user U [--realm R], --session T, --realm R, --all");
  }
  v1::InvalidateRequest request;
  request.set_reason(options.reason);
  request.set_lift_retired(options.lift_retired);
  if (!options.user.empty()) {
    request.mutable_user()->set_username(options.user);
    request.mutable_user()->set_realm(options.realm);
  } else if (!options.session.empty()) {
    request.set_session_token(options.session);
  } else if (options.all) {
    request.set_all(true);
  } else {
    request.set_realm(options.realm);
  }
  return request;
}

ExitCode RunInvalidate(const ConnectionOptions& connection_options, const InvalidateOptions& options,
                       Console& console) {
  absl::StatusOr<v1::InvalidateRequest> request = MakeInvalidateRequest(options);
  if (!request.ok()) return ReportError(request.status(), console);
  const absl::StatusOr<Connection> connection = Connection::Open(connection_options);
  if (!connection.ok()) return ReportError(connection.status(), console);
  if (options.session == "-") {
    const absl::StatusOr<Password> token = ReadPassword("-", "Session token: ", console);
    if (!token.ok()) return ReportError(token.status(), console);
    if (!IsUtf8(token->view())) {
      return ReportError(absl::InvalidArgumentError("the session token is not UTF-8"), console);
    }
    request->set_session_token(token->view().data(), token->view().size());
  }
  v1::InvalidateResponse response;
  const auto stub = v1::AuthService::NewStub(connection->channel());
  const grpc::Status status =
      connection->Call([&](grpc::ClientContext& context) { return stub->Invalidate(&context, *request, &response); });
  if (!request->session_token().empty()) Wipe(*request->mutable_session_token());
  if (!status.ok()) return ReportError(status, console);
  console.out << (console.json ? ToJson(response) + "\n" : DescribeInvalidation(response));
  return ExitCode::kDone;
}

}  // namespace credcache::cli
