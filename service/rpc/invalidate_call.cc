#include <string>
#include <utility>

#include "base/limits.h"
#include "credcache/v1/invalidate.pb.h"
#include "rpc/calls.h"
#include "rpc/codec.h"
#include "rpc/convert.h"
#include "rpc/invalidation_record.h"
#include "rpc/status.h"

namespace credcache {
namespace {

using Target = v1::InvalidateRequest::TargetCase;

// What is kept of the request for the records at its end.
struct Asked {
  InvalidationTarget target;
  std::string realm;  // as configured
  std::string username;
  std::string caller;
  std::string reason;
};

absl::Status CheckTarget(const v1::InvalidateRequest& request) {
  if (request.reason().size() > kMaxReasonSize) return MakeFieldError("reason", "is longer than 256 bytes");
  switch (request.target_case()) {
    case Target::kUser:
    case Target::kRealm:
      return absl::OkStatus();
    case Target::kAll:
      return request.all() ? absl::OkStatus() : MakeFieldError("all", "must be true when it is set");
    case Target::kSessionToken:
      return MakeError(ErrorReason::kNotImplemented, "session tokens are not supported yet");
    case Target::TARGET_NOT_SET:
      return MakeFieldError("target", "is not set");
  }
  return MakeFieldError("target", "is not set");
}

// Whether the caller may, and which realm is meant.
absl::StatusOr<Asked> CheckCaller(const v1::InvalidateRequest& request, const Caller& caller, const Realms& realms) {
  Asked asked{.target = InvalidationTarget::kAll, .caller = caller.name(), .reason = request.reason()};
  const bool one_user = request.target_case() == Target::kUser;
  if (absl::Status status = caller.MayDo(one_user ? Permission::kInvalidate : Permission::kInvalidateAll);
      !status.ok()) {
    return status;
  }
  if (request.target_case() == Target::kAll) {
    if (absl::Status status = caller.MayUseAllRealms(); !status.ok()) return status;
    return asked;
  }
  const Realm* realm = nullptr;
  if (one_user) {
    const absl::StatusOr<Realms::Routed> routed = realms.Route(request.user().realm(), request.user().username());
    if (!routed.ok()) return MakeFieldError("user.username", routed.status().message());
    realm = routed->realm;
    asked.target = InvalidationTarget::kUser;
    asked.username = std::string(routed->username.view());
  } else {
    realm = realms.Find(request.realm());
    asked.target = InvalidationTarget::kRealm;
  }
  if (realm == nullptr) return MakeFieldError(one_user ? "user.realm" : "realm", "names no realm");
  asked.realm = realm->name;
  if (absl::Status status = caller.MayUseRealm(realm->name); !status.ok()) return status;
  return asked;
}

}  // namespace

grpc::ServerUnaryReactor* HandleInvalidate(const RpcParts& parts, const Listener& listener, const UnaryCall& call) {
  absl::StatusOr<IdentifiedCaller> caller = IdentifyCaller(parts, listener, *call.context);
  if (!caller.ok()) return FinishNow(call, caller.status());
  InFlight::Permit permit = parts.in_flight.TryAcquire();
  if (!permit) return FinishNow(call, MakeTooManyInFlight());

  v1::InvalidateRequest request;
  if (absl::Status status = ParseAndWipe(*call.request, &request); !status.ok()) return FinishNow(call, status);
  if (absl::Status status = CheckTarget(request); !status.ok()) return FinishNow(call, status);
  absl::StatusOr<Asked> asked = CheckCaller(request, *caller->caller, *parts.realms.Get());
  if (!asked.ok()) {
    if (CodeOf(ReasonOf(asked.status())) == absl::StatusCode::kPermissionDenied) {
      parts.reporter.Report(Severity::kWarning, "caller_refused", asked.status().message());
    }
    return FinishNow(call, asked.status());
  }

  auto* waiting = new WaitingCall(call, std::move(permit));
  const InvalidationTarget target = asked->target;
  Invalidator::Done done = [&parts, waiting, began = call.timer.began(),
                            asked = *std::move(asked)](absl::StatusOr<Appended> appended) {
    RecordInvalidation(
        parts.metrics, parts.audit, asked.target, InvalidationOrigin::kCaller, parts.clock.Monotonic() - began,
        {.realm = asked.realm, .username = asked.username, .caller = asked.caller, .reason = asked.reason}, appended);
    if (!appended.ok()) return waiting->Answer(appended.status());
    v1::InvalidateResponse response;
    ToProto(*appended, &response);
    waiting->Answer(response);
  };
  Invalidator::Words words = {.reason = request.reason(), .lift_retired = request.lift_retired()};
  switch (target) {
    case InvalidationTarget::kUser:
      parts.invalidator.User(request.user().realm(), request.user().username(), std::move(words), std::move(done));
      break;
    case InvalidationTarget::kRealm:
      parts.invalidator.Realm(request.realm(), std::move(words), std::move(done));
      break;
    case InvalidationTarget::kSession:  // not built yet, see CheckTarget
    case InvalidationTarget::kAll:
      parts.invalidator.All(std::move(words), std::move(done));
      break;
  }
  return waiting;
}

}  // namespace credcache
