#include "cli/error_report.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/duration.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace credcache::cli {
namespace {

// In the order of the codes' numbers.
constexpr std::array<absl::string_view, 17> kCodeNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

absl::string_view CodeName(int code) {
  return code >= 0 && code < static_cast<int>(kCodeNames.size()) ? kCodeNames[code] : "UNKNOWN";
}

google::rpc::Status ToProto(const grpc::Status& status) {
  google::rpc::Status proto;
  if (!proto.ParseFromString(status.error_details())) proto.clear_details();
  // The explained message is the better one; the code is the transport's, whatever the details claim.
  proto.set_code(status.error_code());
  proto.set_message(status.error_message());
  return proto;
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

std::string DescribeDetail(const google::protobuf::Any& detail) {
  std::string lines;
  if (google::rpc::ErrorInfo info; detail.UnpackTo(&info)) {
    absl::StrAppend(&lines, "  reason: ", Printable(info.reason()), " (", Printable(info.domain()), ")\n");
    for (const auto& [key, value] : info.metadata()) {
      absl::StrAppend(&lines, "  ", Printable(key), ": ", Printable(value), "\n");
    }
  } else if (google::rpc::BadRequest bad; detail.UnpackTo(&bad)) {
    for (const auto& violation : bad.field_violations()) {
      absl::StrAppend(&lines, "  field ", Printable(violation.field()), ": ", Printable(violation.description()), "\n");
    }
  } else if (google::rpc::RetryInfo retry; detail.UnpackTo(&retry)) {
    absl::StrAppend(&lines, "  try again in ", Rough(ToDuration(retry.retry_delay())), "\n");
  }
  return lines;
}

// JSON is written by a type's description; without one protobuf would write half of it, and complain on stderr.
bool IsKnown(const google::protobuf::Any& detail) {
  std::string name;
  return google::protobuf::Any::ParseAnyTypeUrl(detail.type_url(), &name) &&
         google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name) != nullptr;
}

}  // namespace

std::string DescribeError(const grpc::Status& status) {
  std::string text =
      absl::StrCat("credcachectl: ", CodeName(status.error_code()), ": ", Printable(status.error_message()), "\n");
  const google::rpc::Status proto = ToProto(status);
  for (const auto& detail : proto.details()) absl::StrAppend(&text, DescribeDetail(detail));
  return text;
}

std::string ErrorJson(const grpc::Status& status) {
  google::rpc::Status proto = ToProto(status);
  auto& details = *proto.mutable_details();
  details.erase(std::remove_if(details.begin(), details.end(), [](const auto& detail) { return !IsKnown(detail); }),
                details.end());
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  if (google::protobuf::util::MessageToJsonString(proto, &json, options).ok()) return json;
  proto.clear_details();
  return ToJson(proto);
}

ExitCode ReportError(const grpc::Status& status, Console& console) {
  console.err << (console.json ? ErrorJson(status) + "\n" : DescribeError(status)) << std::flush;
  return ExitCodeOf(status);
}

ExitCode ReportError(const absl::Status& status, Console& console) {
  const grpc::Status same(static_cast<grpc::StatusCode>(status.raw_code()), std::string(status.message()));
  if (console.json) return ReportError(same, console);
  // A code's name would only puzzle whoever mistyped an option.
  console.err << "credcachectl: " << Printable(status.message()) << "\n" << std::flush;
  return ExitCodeOf(same);
}

}  // namespace credcache::cli
