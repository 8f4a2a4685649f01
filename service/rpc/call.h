// What the calls have in common: who calls, until when, what is counted, and how a unary call ends, at once or later.
#pragma once

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/grpcpp.h"
#include "metrics/call_metrics.h"
#include "rpc/in_flight.h"
#include "rpc/parts.h"

namespace credcache {

CallerEvidence EvidenceOf(const Listener& listener, const grpc::CallbackServerContext& context);

struct IdentifiedCaller {
  std::shared_ptr<const Callers> callers;  // keeps `caller`
  const Caller* caller = nullptr;
};
// UNAUTHENTICATED (callers.h), which is reported too.
absl::StatusOr<IdentifiedCaller> IdentifyCaller(const RpcParts& parts, const Listener& listener,
                                                const grpc::CallbackServerContext& context);

// Of the call, as its client set it. `now` is this moment, a little ago or not.
MonotonicTime DeadlineOf(const grpc::CallbackServerContext& context, MonotonicTime now);
// The same moment for gRPC's alarms.
gpr_timespec AlarmTime(MonotonicTime time, const Clock& clock);

// Counts one call when it ends.
class CallTimer {
 public:
  CallTimer(const Clock& clock, CallMetrics& metrics) : clock_(&clock), metrics_(&metrics), began_(clock.Monotonic()) {}
  MonotonicTime began() const { return began_; }
  void End(absl::StatusCode code) const { metrics_->Count(code, clock_->Monotonic() - began_); }

 private:
  const Clock* clock_;
  CallMetrics* metrics_;
  MonotonicTime began_;
};

// What a unary handler is given.
struct UnaryCall {
  grpc::CallbackServerContext* context;
  const grpc::ByteBuffer* request;
  grpc::ByteBuffer* response;
  CallTimer timer;
};

// The call ends within its handler: with `message`, or with an error. Returns what the handler returns.
grpc::ServerUnaryReactor* FinishNow(const UnaryCall& call, grpc::ByteBuffer message);
grpc::ServerUnaryReactor* FinishNow(const UnaryCall& call, const google::protobuf::MessageLite& message);
grpc::ServerUnaryReactor* FinishNow(const UnaryCall& call, const absl::Status& error);

// A unary call that waits for an answer from elsewhere. It ends with that, or when the client leaves or its deadline
// passes; an answer after that is dropped. Deletes itself when gRPC and whoever answers have both let go.
class WaitingCall final : public grpc::ServerUnaryReactor {
 public:
  WaitingCall(const UnaryCall& call, InFlight::Permit permit);

  // Exactly one of these, once, on any thread.
  void Answer(const google::protobuf::MessageLite& message);
  void Answer(const absl::Status& error);

 private:
  void OnCancel() override;
  void OnDone() override { Release(); }
  void End(const absl::Status& status);
  void Release();

  const UnaryCall call_;
  InFlight::Permit permit_;
  std::atomic<bool> ended_{false};
  std::atomic<int> holders_{2};
};

}  // namespace credcache
