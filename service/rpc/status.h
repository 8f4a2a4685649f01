// Why a call, or an element of a batch, has no verdict; and how gRPC says so.
//
// Every error that leaves the service has a reason from the one list here. The reason decides the gRPC code (the table
// in status.cc) and travels with it as google.rpc.ErrorInfo{reason, domain: "credcache"}; an error of a field adds
// google.rpc.BadRequest, overload google.rpc.RetryInfo (google/rpc/error_details.proto; in gRPC's
// grpc-status-details-bin). Inside the service an error is an absl::Status with the reason as payload. No message tells
// whether a user exists.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"

namespace credcache {

enum class ErrorReason : uint8_t {
  // The request.
  kInvalidMessage,  // not a message of the method's type
  kInvalidField,
  kNotImplemented,
  // The caller.
  kCallerUnknown,
  kTokenInTheClear,
  kMethodNotAllowed,
  kRealmNotAllowed,
  kAudienceNotAllowed,
  // Overload.
  kTooManyInFlight,
  kBackendOverloaded,
  kResponseTooLarge,
  kClientDoesNotRead,
  // No answer, for no fault of the caller's.
  kBackendUnavailable,
  kDeadlineExceeded,
  kCancelled,
  kInternal,
};
inline constexpr int kErrorReasons = 16;

// As ErrorInfo has it: "CALLER_UNKNOWN".
absl::string_view Name(ErrorReason reason);
absl::StatusCode CodeOf(ErrorReason reason);

// An error of that reason. `message` is for the caller's operator: it names nobody's password and no user.
absl::Status MakeError(ErrorReason reason, absl::string_view message);
// kInvalidField: `field` is its path ("password.username"), `problem` goes on where the path stops ("is empty").
absl::Status MakeFieldError(absl::string_view field, absl::string_view problem);
absl::Status MakeTooManyInFlight();
// What a validator said instead of a verdict. Its own words may quote a directory, so they stay in the log.
absl::Status MakeBackendError(const absl::Status& status);

// The reason of an error; of one without a reason of its own, the one that its code stands for.
ErrorReason ReasonOf(const absl::Status& error);

// For the element of a batch or stream. `error` is not OK.
void ToProto(const absl::Status& error, google::rpc::Status* proto);
// For a call. OK stays OK.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace credcache
