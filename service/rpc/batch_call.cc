#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/limits.h"
#include "credcache/v1/authenticate.pb.h"
#include "google/protobuf/arena.h"
#include "grpcpp/alarm.h"
#include "rpc/calls.h"
#include "rpc/codec.h"
#include "rpc/convert.h"
#include "rpc/status.h"

namespace credcache {
namespace {

// So long before the client's deadline a batch answers with what it has, or a quarter of the time that it had: the
// answer has to be written and to travel.
constexpr absl::Duration kAnswerAhead = absl::Milliseconds(50);

// An element's error takes less than this on the wire.
constexpr size_t kErrorSize = 256;

// A batch under way. Elements that are answered at once are put down by the handler; for the rest it waits, until all
// are there, the deadline is near, or the client has left. Shared by gRPC (until OnDone), the alarm and each element
// that is waited for.
class BatchCall final : public grpc::ServerUnaryReactor, public std::enable_shared_from_this<BatchCall> {
 public:
  BatchCall(const RpcParts& parts, const UnaryCall& call, int elements) : parts_(parts), call_(call) {
    response_ = google::protobuf::Arena::CreateMessage<v1::BatchAuthenticateResponse>(&arena_);
    response_->mutable_results()->Reserve(elements);
    for (int i = 0; i < elements; ++i) response_->add_results();
  }

  // For the handler, before Wait: nobody else writes an element that is not waited for.
  v1::AuthenticateResult* result(int element) { return response_->mutable_results(element); }

  // The handler's part, element by element; whoever takes a late answer.
  Authenticator::Later WaitFor(int element, InFlight::Permit permit) {
    {
      absl::MutexLock lock(&mutex_);
      ++missing_;
    }
    return [self = shared_from_this(), element, permit = std::move(permit)](LogOnAnswer answer) mutable {
      permit = InFlight::Permit();
      self->Arrived(element, answer);
    };
  }

  // All elements have been asked for. What the handler returns.
  grpc::ServerUnaryReactor* Wait(MonotonicTime deadline) {
    absl::ReleasableMutexLock lock(&mutex_);
    if (missing_ == 0) {
      lock.Release();
      LimitSize();
      return FinishNow(call_, *response_);
    }
    waiting_ = true;
    self_ = shared_from_this();
    if (deadline != MonotonicTime::InfiniteFuture()) {
      const absl::Duration left = deadline - parts_.clock.Monotonic();
      const MonotonicTime answer_at = deadline - std::clamp(left / 4, absl::ZeroDuration(), kAnswerAhead);
      alarm_.Set(AlarmTime(answer_at, parts_.clock), [self = shared_from_this()](bool due) mutable {
        if (due) self->Answer();
        self.reset();  // the alarm keeps this function for as long as it lives itself
      });
    }
    return this;
  }

 private:
  void Arrived(int element, const LogOnAnswer& answer) {
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      ToProto(answer, response_->mutable_results(element));
      if (--missing_ > 0 || !waiting_) return;
    }
    Answer();
  }

  // With what is there.
  void Answer() {
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      ended_ = true;
    }
    // From here on nobody else touches the response.
    for (v1::AuthenticateResult& result : *response_->mutable_results()) {
      if (result.result_case() != v1::AuthenticateResult::RESULT_NOT_SET) continue;
      ToProto(MakeError(ErrorReason::kDeadlineExceeded, "the batch's deadline came before this element's answer"),
              result.mutable_error());
    }
    LimitSize();
    *call_.response = Serialize(*response_);
    End(absl::OkStatus());
  }

  void OnCancel() override {
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      ended_ = true;
    }
    End(MakeError(ErrorReason::kCancelled, "the client left, or its deadline passed"));
  }

  void OnDone() override {
    const std::shared_ptr<BatchCall> self = std::move(self_);
    alarm_.Cancel();
  }

  void End(const absl::Status& status) {
    call_.timer.End(status.code());
    Finish(ToGrpcStatus(status));
  }

  // A response that is too large for a message keeps the results that fit, in order.
  void LimitSize() {
    if (response_->ByteSizeLong() <= kMaxMessageSize) return;
    size_t size = 0;
    size_t left = static_cast<size_t>(response_->results_size());
    for (v1::AuthenticateResult& result : *response_->mutable_results()) {
      --left;
      if (size + result.ByteSizeLong() + kErrorSize * (left + 1) > kMaxMessageSize) {
        result.Clear();
        ToProto(MakeError(ErrorReason::kResponseTooLarge, "the batch's response is too large; ask in smaller batches"),
                result.mutable_error());
      }
      size += result.ByteSizeLong() + 8;
    }
  }

  const RpcParts& parts_;
  const UnaryCall call_;
  google::protobuf::Arena arena_;
  v1::BatchAuthenticateResponse* response_;  // guarded by mutex_ while there are answers to come
  grpc::Alarm alarm_;

  absl::Mutex mutex_;
  int missing_ ABSL_GUARDED_BY(mutex_) = 0;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;  // the handler is through with all elements
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<BatchCall> self_;  // gRPC's share
};

}  // namespace

grpc::ServerUnaryReactor* HandleBatchAuthenticate(const RpcParts& parts, const Listener& listener,
                                                  const UnaryCall& call) {
  absl::StatusOr<IdentifiedCaller> caller = IdentifyCaller(parts, listener, *call.context);
  if (!caller.ok()) return FinishNow(call, caller.status());
  if (absl::Status status = caller->caller->MayDo(Permission::kAuthenticate); !status.ok()) {
    parts.reporter.Report(Severity::kWarning, "caller_refused", status.message());
    return FinishNow(call, status);
  }

  google::protobuf::Arena arena;
  auto* request = google::protobuf::Arena::CreateMessage<v1::BatchAuthenticateRequest>(&arena);
  absl::Status parsed = ParseAndWipe(*call.request, request);
  const PasswordWiper wiper(request);
  if (!parsed.ok()) return FinishNow(call, parsed);
  const int elements = request->requests_size();
  if (elements == 0) return FinishNow(call, MakeFieldError("requests", "is empty"));
  if (elements > static_cast<int>(kMaxBatchElements)) {
    return FinishNow(call, MakeFieldError("requests", "has more than 4096 elements"));
  }

  const std::shared_ptr<const Realms> realms = parts.realms.Get();
  const MonotonicTime deadline = DeadlineOf(*call.context, parts.clock);
  const auto batch = std::make_shared<BatchCall>(parts, call, elements);
  for (int i = 0; i < elements; ++i) {
    InFlight::Permit permit = parts.in_flight.TryAcquire();
    if (!permit) {
      ToProto(MakeTooManyInFlight(), batch->result(i)->mutable_error());
      continue;
    }
    const absl::StatusOr<LogOnRequest> log_on = FromProto(request->requests(i));
    if (!log_on.ok()) {
      ToProto(log_on.status(), batch->result(i)->mutable_error());
      continue;
    }
    const std::optional<LogOnAnswer> answer = parts.authenticator.Authenticate(
        *caller->caller, *log_on, realms, deadline, [&]() { return batch->WaitFor(i, std::move(permit)); });
    if (answer.has_value()) ToProto(*answer, batch->result(i));
  }
  return batch->Wait(deadline);
}

}  // namespace credcache
