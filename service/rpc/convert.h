// Between the API's messages and the service's own types: pure functions, without a server or a clock.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/outcome.h"
#include "credcache/v1/authenticate.pb.h"
#include "credcache/v1/invalidate.pb.h"
#include "journal/journal.h"
#include "rpc/log_on.h"

namespace credcache {

// kInvalidField, kNotImplemented (status.h).
absl::StatusOr<LogOnRequest> FromProto(const v1::AuthenticateRequest& request);

// `field`: its path, for the error. A duration is absent, or within protobuf's range and not negative.
absl::StatusOr<absl::Duration> FromProto(const google::protobuf::Duration& duration, absl::string_view field);

// What a caller is told of a decision: an unknown user, a wrong password and a locked account are one thing.
Outcome OutcomeOf(Decision decision);

// The messages filled in may be others' before: all is overwritten, and what memory they have is used again. `answer`
// holds a verdict.
void ToProto(const LogOnAnswer& answer, v1::AuthenticateResponse* response);
// A verdict or an error.
void ToProto(const LogOnAnswer& answer, v1::AuthenticateResult* result);
void ToProto(const Appended& appended, v1::InvalidateResponse* response);

void ToProto(absl::Time time, google::protobuf::Timestamp* proto);
void ToProto(absl::Duration duration, google::protobuf::Duration* proto);

// Overwrite the passwords in place.
void WipePasswords(v1::AuthenticateRequest* request);
void WipePasswords(v1::BatchAuthenticateRequest* request);
void WipePasswords(v1::AuthenticateStreamRequest* request);

}  // namespace credcache
