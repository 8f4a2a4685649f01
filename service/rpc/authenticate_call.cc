#include <utility>

#include "credcache/v1/authenticate.pb.h"
#include "rpc/calls.h"
#include "rpc/codec.h"
#include "rpc/convert.h"
#include "rpc/kept_request.h"
#include "rpc/prepared_log_on.h"
#include "rpc/status.h"

namespace credcache {
namespace {

void Finish(const LogOnAnswer& answer, WaitingCall& waiting) {
  if (!answer.verdict.ok()) return waiting.Answer(answer.verdict.status());
  v1::AuthenticateResponse response;
  ToProto(answer, &response);
  waiting.Answer(response);
}

}  // namespace

grpc::ServerUnaryReactor* HandleAuthenticate(const RpcParts& parts, const Listener& listener, const UnaryCall& call) {
  absl::StatusOr<IdentifiedCaller> caller = IdentifyCaller(parts, listener, *call.context);
  if (!caller.ok()) return FinishNow(call, caller.status());
  InFlight::Permit permit = parts.in_flight.TryAcquire();
  if (!permit) return FinishNow(call, MakeTooManyInFlight());

  KeptRequest<v1::AuthenticateRequest> request;
  absl::Status parsed = ParseAndWipe(*call.request, request.get());
  if (!parsed.ok()) return FinishNow(call, parsed);
  const std::shared_ptr<const Realms> realms = parts.realms.Get();
  const PreparedLogOn log_on(*request, *realms);
  const MonotonicTime began = call.timer.began();
  WaitingCall* waiting = nullptr;
  const std::optional<LogOnAnswer> answer =
      parts.authenticator.Authenticate(*caller->caller, log_on, realms, began, DeadlineOf(*call.context, began), [&]() {
        waiting = new WaitingCall(call, std::move(permit));
        return [waiting](const LogOnAnswer& late) { Finish(late, *waiting); };
      });
  if (!answer.has_value()) return waiting;
  if (!answer->verdict.ok()) return FinishNow(call, answer->verdict.status());
  thread_local v1::AuthenticateResponse response;  // keeps its memory from one hit to the next
  ToProto(*answer, &response);
  return FinishNow(call, response);
}

}  // namespace credcache
