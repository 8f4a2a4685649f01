#include "rpc/convert.h"

#include <algorithm>
#include <string>

#include "base/limits.h"
#include "rpc/status.h"

namespace credcache {
namespace {

// google/protobuf/duration.proto: 10,000 years.
constexpr int64_t kMaxDurationSeconds = 315'576'000'000;
constexpr int32_t kNanosecondsPerSecond = 1'000'000'000;

bool HasControls(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

v1::Outcome ToProto(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAccepted:
      return v1::OUTCOME_ACCEPTED;
    case Outcome::kRejected:
      return v1::OUTCOME_REJECTED;
    case Outcome::kThrottled:
      return v1::OUTCOME_THROTTLED;
    case Outcome::kAccountDisabled:
      return v1::OUTCOME_ACCOUNT_DISABLED;
    case Outcome::kPasswordExpired:
      return v1::OUTCOME_PASSWORD_EXPIRED;
  }
  return v1::OUTCOME_UNSPECIFIED;
}

v1::Source ToProto(Source source) {
  switch (source) {
    case Source::kNone:
      return v1::SOURCE_UNSPECIFIED;
    case Source::kCache:
      return v1::SOURCE_CACHE;
    case Source::kBackend:
      return v1::SOURCE_BACKEND;
    case Source::kCoalesced:
      return v1::SOURCE_COALESCED;
    case Source::kStale:
      return v1::SOURCE_STALE;
  }
  return v1::SOURCE_UNSPECIFIED;
}

void Assign(absl::string_view value, std::string* field) { field->assign(value.data(), value.size()); }

void ToProto(const Identity& identity, absl::string_view realm, v1::Identity* proto) {
  Assign(realm, proto->mutable_realm());
  Assign(identity.username(), proto->mutable_username());
  if (identity.subject().empty()) {
    std::string* subject = proto->mutable_subject();
    subject->clear();
    subject->reserve(realm.size() + 1 + identity.username().size());
    subject->append(realm.data(), realm.size()).append("/");
    subject->append(identity.username().data(), identity.username().size());
  } else {
    Assign(identity.subject(), proto->mutable_subject());
  }
  const IdentityDetails& details = identity.details();
  proto->clear_groups();
  proto->clear_attributes();
  proto->mutable_groups()->Reserve(static_cast<int>(details.groups.size()));
  for (const std::string& group : details.groups) proto->add_groups(group);
  for (const auto& [name, value] : details.attributes) (*proto->mutable_attributes())[name] = value;
}

}  // namespace

absl::StatusOr<absl::Duration> FromProto(const google::protobuf::Duration& duration, absl::string_view field) {
  const int64_t seconds = duration.seconds();
  const int32_t nanos = duration.nanos();
  if (seconds < 0 || nanos < 0) return MakeFieldError(field, "is negative");
  if (seconds > kMaxDurationSeconds || nanos >= kNanosecondsPerSecond) {
    return MakeFieldError(field, "is out of the range of google.protobuf.Duration");
  }
  return absl::Seconds(seconds) + absl::Nanoseconds(nanos);
}

absl::StatusOr<LogOnRequest> FromProto(const v1::AuthenticateRequest& request) {
  switch (request.credential_case()) {
    case v1::AuthenticateRequest::CREDENTIAL_NOT_SET:
      return MakeFieldError("credential", "is not set");
    case v1::AuthenticateRequest::kSessionToken:
      return MakeError(ErrorReason::kNotImplemented, "session tokens are not supported yet");
    case v1::AuthenticateRequest::kPassword:
      break;
  }
  if (request.open_session()) return MakeError(ErrorReason::kNotImplemented, "sessions are not supported yet");

  const v1::PasswordCredential& credential = request.password();
  if (credential.realm().size() > kMaxRealmSize) return MakeFieldError("password.realm", "is longer than 256 bytes");
  if (credential.password().size() > kMaxPasswordSize) {
    return MakeFieldError("password.password", "is longer than 1024 bytes");
  }
  LogOnRequest log_on{
      .realm = credential.realm(), .username = credential.username(), .password = SecretView(credential.password())};
  if (request.has_max_age()) {
    absl::StatusOr<absl::Duration> max_age = FromProto(request.max_age(), "max_age");
    if (!max_age.ok()) return std::move(max_age).status();
    log_on.max_age = *max_age;
  }
  const v1::RequestContext& context = request.context();
  if (context.request_id().size() > kMaxRequestIdSize) {
    return MakeFieldError("context.request_id", "is longer than 128 bytes");
  }
  if (HasControls(context.request_id())) return MakeFieldError("context.request_id", "has a control character");
  if (!context.client_address().empty()) {
    log_on.address = IpAddress::Parse(context.client_address());
    if (!log_on.address.has_value()) return MakeFieldError("context.client_address", "is not an IP address");
  }
  log_on.protocol = ParseProtocol(context.protocol());
  log_on.client_address = context.client_address();
  log_on.audience = context.audience();
  log_on.request_id = context.request_id();
  return log_on;
}

Outcome OutcomeOf(Decision decision) {
  switch (decision) {
    case Decision::kAccepted:
      return Outcome::kAccepted;
    case Decision::kAccountDisabled:
      return Outcome::kAccountDisabled;
    case Decision::kPasswordExpired:
      return Outcome::kPasswordExpired;
    case Decision::kThrottled:
      return Outcome::kThrottled;
    case Decision::kUnknownUser:
    case Decision::kWrongPassword:
    case Decision::kLocked:
      return Outcome::kRejected;
  }
  return Outcome::kRejected;
}

void ToProto(const LogOnAnswer& answer, v1::AuthenticateResponse* response) {
  const Verdict& verdict = *answer.verdict;
  const Outcome outcome = OutcomeOf(verdict.decision);
  response->set_outcome(ToProto(outcome));
  response->set_source(ToProto(verdict.source));
  if (outcome == Outcome::kAccepted && answer.realm != nullptr) {
    ToProto(verdict.identity, answer.realm->name, response->mutable_identity());
  } else {
    response->clear_identity();
  }
  ToProto(verdict.validated_at, response->mutable_validated_at());
  if (verdict.expires_at != absl::InfiniteFuture()) {
    ToProto(verdict.expires_at, response->mutable_expires_at());
  } else {
    response->clear_expires_at();
  }
  if (outcome == Outcome::kThrottled) {
    ToProto(verdict.retry_after, response->mutable_retry_after());
  } else {
    response->clear_retry_after();
  }
}

void ToProto(const LogOnAnswer& answer, v1::AuthenticateResult* result) {
  if (answer.verdict.ok()) {
    ToProto(answer, result->mutable_response());
  } else {
    ToProto(answer.verdict.status(), result->mutable_error());
  }
}

void ToProto(const Appended& appended, v1::InvalidateResponse* response) {
  response->set_entries_removed(static_cast<uint64_t>(appended.entries_removed));
  response->set_revision(appended.revision.value());
  for (const Appended::Acknowledgement& acknowledgement : appended.acknowledgements) {
    v1::ReplicaAcknowledgement* proto = response->add_acknowledgements();
    proto->set_replica(acknowledgement.replica);
    proto->set_state(acknowledgement.lease_expired ? v1::ReplicaAcknowledgement::STATE_LEASE_EXPIRED
                                                   : v1::ReplicaAcknowledgement::STATE_ACKNOWLEDGED);
  }
}

void ToProto(absl::Time time, google::protobuf::Timestamp* proto) {
  const int64_t seconds = absl::ToUnixSeconds(time);  // rounds down, before 1970 too
  proto->set_seconds(seconds);
  proto->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

void ToProto(absl::Duration duration, google::protobuf::Duration* proto) {
  proto->set_seconds(absl::ToInt64Seconds(duration));
  proto->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration % absl::Seconds(1))));
}

void WipePasswords(v1::AuthenticateRequest* request) {
  if (!request->has_password()) return;
  std::string* password = request->mutable_password()->mutable_password();
  if (!password->empty()) WipeMemory(password->data(), password->size());
}

void WipePasswords(v1::BatchAuthenticateRequest* request) {
  for (v1::AuthenticateRequest& element : *request->mutable_requests()) WipePasswords(&element);
}

void WipePasswords(v1::AuthenticateStreamRequest* request) {
  for (v1::NumberedRequest& numbered : *request->mutable_requests()) {
    if (numbered.has_request()) WipePasswords(numbered.mutable_request());
  }
}

}  // namespace credcache
