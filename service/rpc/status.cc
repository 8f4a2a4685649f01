#include "rpc/status.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/rpc/error_details.pb.h"

namespace credcache {
namespace {

constexpr absl::string_view kReasonPayload = "credcache/reason";
constexpr absl::string_view kFieldPayload = "credcache/field";
constexpr absl::string_view kDomain = "credcache";

struct Row {
  ErrorReason reason;
  absl::string_view name;
  absl::StatusCode code;
  absl::Duration retry_after = absl::ZeroDuration();  // zero: no RetryInfo
};

// The one table. Delays are a first guess at when a place will be free; a client adds its own jitter.
constexpr std::array<Row, kErrorReasons> kRows = {{
    {ErrorReason::kInvalidMessage, "INVALID_MESSAGE", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kInvalidField, "INVALID_FIELD", absl::StatusCode::kInvalidArgument},
    {ErrorReason::kNotImplemented, "NOT_IMPLEMENTED", absl::StatusCode::kUnimplemented},
    {ErrorReason::kCallerUnknown, "CALLER_UNKNOWN", absl::StatusCode::kUnauthenticated},
    {ErrorReason::kTokenInTheClear, "TOKEN_IN_THE_CLEAR", absl::StatusCode::kUnauthenticated},
    {ErrorReason::kMethodNotAllowed, "METHOD_NOT_ALLOWED", absl::StatusCode::kPermissionDenied},
    {ErrorReason::kRealmNotAllowed, "REALM_NOT_ALLOWED", absl::StatusCode::kPermissionDenied},
    {ErrorReason::kAudienceNotAllowed, "AUDIENCE_NOT_ALLOWED", absl::StatusCode::kPermissionDenied},
    {ErrorReason::kTooManyInFlight, "TOO_MANY_IN_FLIGHT", absl::StatusCode::kResourceExhausted,
     absl::Milliseconds(100)},
    {ErrorReason::kBackendOverloaded, "BACKEND_OVERLOADED", absl::StatusCode::kResourceExhausted, absl::Seconds(1)},
    {ErrorReason::kResponseTooLarge, "RESPONSE_TOO_LARGE", absl::StatusCode::kResourceExhausted, absl::Milliseconds(1)},
    {ErrorReason::kClientDoesNotRead, "CLIENT_DOES_NOT_READ", absl::StatusCode::kResourceExhausted, absl::Seconds(1)},
    {ErrorReason::kBackendUnavailable, "BACKEND_UNAVAILABLE", absl::StatusCode::kUnavailable},
    {ErrorReason::kDeadlineExceeded, "DEADLINE_EXCEEDED", absl::StatusCode::kDeadlineExceeded},
    {ErrorReason::kCancelled, "CANCELLED", absl::StatusCode::kCancelled},
    {ErrorReason::kInternal, "INTERNAL", absl::StatusCode::kInternal},
}};

constexpr bool RowsAreInOrder() {
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<size_t>(kRows[i].reason) != i) return false;
  }
  return true;
}
static_assert(RowsAreInOrder());

const Row& RowOf(ErrorReason reason) { return kRows[static_cast<size_t>(reason)]; }

// What an error of the domain means that came without a reason.
ErrorReason DefaultReason(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return ErrorReason::kInvalidField;
    case absl::StatusCode::kUnavailable:
      return ErrorReason::kBackendUnavailable;
    case absl::StatusCode::kResourceExhausted:
      return ErrorReason::kBackendOverloaded;
    case absl::StatusCode::kDeadlineExceeded:
      return ErrorReason::kDeadlineExceeded;
    case absl::StatusCode::kCancelled:
      return ErrorReason::kCancelled;
    case absl::StatusCode::kUnimplemented:
      return ErrorReason::kNotImplemented;
    default:
      return ErrorReason::kInternal;
  }
}

}  // namespace

absl::string_view Name(ErrorReason reason) { return RowOf(reason).name; }

absl::StatusCode CodeOf(ErrorReason reason) { return RowOf(reason).code; }

absl::Status MakeError(ErrorReason reason, absl::string_view message) {
  absl::Status status(CodeOf(reason), message);
  const char byte = static_cast<char>(reason);
  status.SetPayload(kReasonPayload, absl::Cord(absl::string_view(&byte, 1)));
  return status;
}

absl::Status MakeFieldError(absl::string_view field, absl::string_view problem) {
  absl::Status status = MakeError(ErrorReason::kInvalidField, absl::StrCat(field, " ", problem));
  status.SetPayload(kFieldPayload, absl::Cord(field));
  return status;
}

absl::Status MakeTooManyInFlight() {
  return MakeError(ErrorReason::kTooManyInFlight, "too many requests are under way; retry later");
}

absl::Status MakeBackendError(const absl::Status& status) {
  switch (ReasonOf(status)) {
    case ErrorReason::kBackendUnavailable:
      return MakeError(ErrorReason::kBackendUnavailable, "no backend could answer; nothing was decided; retry");
    case ErrorReason::kBackendOverloaded:
      return MakeError(ErrorReason::kBackendOverloaded, "too many requests wait for this realm's backend; retry later");
    case ErrorReason::kDeadlineExceeded:
      return MakeError(ErrorReason::kDeadlineExceeded, "the deadline passed before a backend answered");
    case ErrorReason::kCancelled:
      return MakeError(ErrorReason::kCancelled, "cancelled");
    default:
      return MakeError(ErrorReason::kInternal, "internal error");
  }
}

ErrorReason ReasonOf(const absl::Status& error) {
  const absl::optional<absl::Cord> payload = error.GetPayload(kReasonPayload);
  if (payload.has_value() && payload->size() == 1) return static_cast<ErrorReason>((*payload)[0]);
  return DefaultReason(error.code());
}

void ToProto(const absl::Status& error, google::rpc::Status* proto) {
  const Row& row = RowOf(ReasonOf(error));
  proto->clear_details();
  proto->set_code(static_cast<int>(row.code));
  // Where the code is not the domain's own, its words are not for callers either.
  const bool internal = row.reason == ErrorReason::kInternal;
  proto->set_message(internal ? "internal error" : std::string(error.message()));

  google::rpc::ErrorInfo info;
  info.set_reason(std::string(row.name));
  info.set_domain(std::string(kDomain));
  proto->add_details()->PackFrom(info);
  if (const absl::optional<absl::Cord> field = error.GetPayload(kFieldPayload); field.has_value()) {
    google::rpc::BadRequest bad_request;
    google::rpc::BadRequest::FieldViolation* violation = bad_request.add_field_violations();
    violation->set_field(std::string(*field));
    violation->set_description(std::string(error.message()));
    proto->add_details()->PackFrom(bad_request);
  }
  if (row.retry_after > absl::ZeroDuration()) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(row.retry_after));
    retry.mutable_retry_delay()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(row.retry_after % absl::Seconds(1))));
    proto->add_details()->PackFrom(retry);
  }
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status proto;
  ToProto(status, &proto);
  return {static_cast<grpc::StatusCode>(proto.code()), proto.message(), proto.SerializeAsString()};
}

}  // namespace credcache
