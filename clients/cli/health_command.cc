#include "cli/health_command.h"

#include "absl/strings/str_cat.h"
#include "cli/error_report.h"
#include "cli/utf8.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace credcache::cli {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

CLI::App* DefineHealth(CLI::App& app, HealthOptions& options) {
  CLI::App* command = app.add_subcommand("health", "Ask whether the server, or one of its services, serves");
  command->add_option("SERVICE", options.service, "A service such as credcache.v1.AuthService; not given: the server")
      ->check(Utf8())
      ->type_name("");
  command->footer(
      "Exit code: 0 serving; 4 not serving, not known, or not reached.\n\n"
      "Examples:\n"
      "  credcachectl health\n"
      "  credcachectl --timeout 1s health credcache.v1.AuthService\n");
  return command;
}

ExitCode RunHealth(const ConnectionOptions& connection_options, const HealthOptions& options, Console& console) {
  const absl::StatusOr<Connection> connection = Connection::Open(connection_options);
  if (!connection.ok()) return ReportError(connection.status(), console);
  HealthCheckRequest request;
  request.set_service(options.service);
  HealthCheckResponse response;
  const auto stub = Health::NewStub(connection->channel());
  grpc::Status status =
      connection->Call([&](grpc::ClientContext& context) { return stub->Check(&context, request, &response); });
  if (status.error_code() == grpc::StatusCode::NOT_FOUND && !options.service.empty()) {
    status = {status.error_code(), absl::StrCat("the server knows no service \"", options.service, "\"")};
  }
  if (!status.ok()) return ReportError(status, console);
  if (console.json) {
    console.out << ToJson(response) << "\n";
  } else {
    console.out << HealthCheckResponse::ServingStatus_Name(response.status()) << "\n";
  }
  return response.status() == HealthCheckResponse::SERVING ? ExitCode::kDone : ExitCode::kUnavailable;
}

}  // namespace credcache::cli
