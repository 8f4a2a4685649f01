#include "rpc/call.h"

#include <grpc/grpc_security_constants.h>

#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "rpc/codec.h"
#include "rpc/status.h"

namespace credcache {

CallerEvidence EvidenceOf(const Listener& listener, const grpc::CallbackServerContext& context) {
  CallerEvidence evidence{.transport = listener.transport, .socket_caller = listener.socket_caller};
  const auto [begin, end] = context.client_metadata().equal_range("authorization");
  for (auto it = begin; it != end; ++it) evidence.authorizations.emplace_back(it->second.data(), it->second.size());

  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return evidence;
  for (const char* kind : {GRPC_PEER_URI_PROPERTY_NAME, GRPC_PEER_DNS_PROPERTY_NAME}) {
    for (const grpc::string_ref& name : auth->FindPropertyValues(kind)) {
      evidence.certificate_names.emplace_back(name.data(), name.size());
    }
  }
  return evidence;
}

absl::StatusOr<IdentifiedCaller> IdentifyCaller(const RpcParts& parts, const Listener& listener,
                                                const grpc::CallbackServerContext& context) {
  IdentifiedCaller identified{.callers = parts.callers.Get()};
  if (identified.callers->anyone() != nullptr) {
    identified.caller = identified.callers->anyone();
    return identified;
  }
  const absl::StatusOr<const Caller*> caller = identified.callers->Identify(EvidenceOf(listener, context));
  if (!caller.ok()) {
    parts.reporter.Report(Severity::kWarning, "caller_refused", caller.status().message());
    return caller.status();
  }
  identified.caller = *caller;
  return identified;
}

MonotonicTime DeadlineOf(const grpc::CallbackServerContext& context, MonotonicTime now) {
  const gpr_timespec deadline = context.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return MonotonicTime::InfiniteFuture();
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  return now + absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
}

gpr_timespec AlarmTime(MonotonicTime time, const Clock& clock) {
  const int64_t nanoseconds = absl::ToInt64Nanoseconds(time - clock.Monotonic());
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(nanoseconds, GPR_TIMESPAN));
}

grpc::ServerUnaryReactor* FinishNow(const UnaryCall& call, grpc::ByteBuffer message) {
  call.response->Swap(&message);
  call.timer.End(absl::StatusCode::kOk);
  grpc::ServerUnaryReactor* reactor = call.context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* FinishNow(const UnaryCall& call, const google::protobuf::MessageLite& message) {
  return FinishNow(call, Serialize(message));
}

grpc::ServerUnaryReactor* FinishNow(const UnaryCall& call, const absl::Status& error) {
  call.timer.End(CodeOf(ReasonOf(error)));
  grpc::ServerUnaryReactor* reactor = call.context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(error));
  return reactor;
}

WaitingCall::WaitingCall(const UnaryCall& call, InFlight::Permit permit) : call_(call), permit_(std::move(permit)) {}

void WaitingCall::Answer(const google::protobuf::MessageLite& message) {
  if (!ended_.exchange(true, std::memory_order_acq_rel)) {
    *call_.response = Serialize(message);
    End(absl::OkStatus());
  }
  Release();
}

void WaitingCall::Answer(const absl::Status& error) {
  if (!ended_.exchange(true, std::memory_order_acq_rel)) End(error);
  Release();
}

void WaitingCall::OnCancel() {
  if (ended_.exchange(true, std::memory_order_acq_rel)) return;
  const gpr_timespec deadline = call_.context->raw_deadline();
  if (gpr_time_cmp(deadline, gpr_now(deadline.clock_type)) <= 0) {
    End(MakeError(ErrorReason::kDeadlineExceeded, "the deadline passed before there was an answer"));
  } else {
    End(MakeError(ErrorReason::kCancelled, "the client left"));
  }
}

void WaitingCall::End(const absl::Status& status) {
  permit_ = InFlight::Permit();
  call_.timer.End(status.ok() ? absl::StatusCode::kOk : CodeOf(ReasonOf(status)));
  Finish(ToGrpcStatus(status));
}

void WaitingCall::Release() {
  if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

}  // namespace credcache
