#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/limits.h"
#include "credcache/v1/authenticate.pb.h"
#include "grpcpp/alarm.h"
#include "rpc/calls.h"
#include "rpc/codec.h"
#include "rpc/convert.h"
#include "rpc/kept_request.h"
#include "rpc/prepared_log_on.h"
#include "rpc/result_writer.h"
#include "rpc/status.h"

namespace credcache {
namespace {

// So long before the client's deadline a batch answers with what it has, or a quarter of the time that it had: the
// answer has to be written and to travel.
constexpr absl::Duration kAnswerAhead = absl::Milliseconds(50);

// A batch under way. Elements that are answered at once are put down by the handler, one behind the other, and are the
// response as they stand when there are no others. For the rest it waits, until all are there, the deadline is near, or
// the client has left. Shared by gRPC (until OnDone), the alarm and each element that is waited for.
class BatchCall final : public grpc::ServerUnaryReactor, public std::enable_shared_from_this<BatchCall> {
 public:
  BatchCall(const RpcParts& parts, const UnaryCall& call, size_t elements)
      : parts_(parts), call_(call), elements_(elements) {
    prompt_.Reserve(elements);
  }

  // The handler's part, element by element: what is answered at once,
  void Put(size_t element, const LogOnAnswer& answer) {
    ToProto(answer, &result_);
    elements_[element] = {.span = prompt_.Append(result_)};
  }
  // or who takes a late answer.
  Authenticator::Later WaitFor(size_t element, InFlight::Permit permit) {
    {
      absl::MutexLock lock(&mutex_);
      ++missing_;
    }
    return [self = shared_from_this(), element, permit = std::move(permit)](const LogOnAnswer& answer) mutable {
      permit = InFlight::Permit();
      self->Arrived(element, answer);
    };
  }

  // All elements have been asked for. What the handler returns.
  grpc::ServerUnaryReactor* Wait(MonotonicTime deadline) {
    absl::ReleasableMutexLock lock(&mutex_);
    if (missing_ == 0) {
      lock.Release();
      return FinishNow(call_, TakeResponse());
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
  // An element's result, in one of the two writers.
  struct Element {
    ResultWriter::Span span;
    bool late = false;
  };

  void Arrived(size_t element, const LogOnAnswer& answer) {
    v1::AuthenticateResult result;
    ToProto(answer, &result);
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      elements_[element] = {.span = late_.Append(result), .late = true};
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
    grpc::ByteBuffer response = TakeResponse();
    call_.response->Swap(&response);
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

  // When nobody else touches the results any more. A response that is too large for a message keeps the results that
  // fit, in order.
  grpc::ByteBuffer TakeResponse() {
    const bool all_prompt = std::none_of(elements_.begin(), elements_.end(),
                                         [](const Element& element) { return element.late || element.span.size == 0; });
    if (all_prompt && prompt_.size() <= kMaxMessageSize) return prompt_.Take();
    ResultWriter errors;
    const ResultWriter::Span unanswered = AppendError(
        MakeError(ErrorReason::kDeadlineExceeded, "the batch's deadline came before this element's answer"), &errors);
    const ResultWriter::Span too_large = AppendError(
        MakeError(ErrorReason::kResponseTooLarge, "the batch's response is too large; ask in smaller batches"),
        &errors);
    const auto bytes = [&](const Element& element) {
      if (element.span.size == 0) return errors.At(unanswered);
      return (element.late ? late_ : prompt_).At(element.span);
    };
    size_t size = 0;
    for (const Element& element : elements_) size += bytes(element).size();
    const bool limit = size > kMaxMessageSize;

    ResultWriter response;
    size_t left = elements_.size();
    for (const Element& element : elements_) {
      const absl::string_view result = bytes(element);
      const bool fits =
          !limit || response.size() + result.size() + errors.At(too_large).size() * --left <= kMaxMessageSize;
      response.Append(fits ? result : errors.At(too_large));
    }
    return response.Take();
  }

  static ResultWriter::Span AppendError(absl::Status error, ResultWriter* writer) {
    v1::AuthenticateResult result;
    ToProto({.verdict = std::move(error)}, &result);
    return writer->Append(result);
  }

  const RpcParts& parts_;
  const UnaryCall call_;
  // The handler's until Wait; what is late is guarded by mutex_; all is of whoever sets ended_ from then on.
  v1::AuthenticateResult result_;  // keeps its memory from one element to the next
  ResultWriter prompt_;
  ResultWriter late_;
  std::vector<Element> elements_;
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

  KeptRequest<v1::BatchAuthenticateRequest> request;
  absl::Status parsed = ParseAndWipe(*call.request, request.get());
  if (!parsed.ok()) return FinishNow(call, parsed);
  const int elements = request->requests_size();
  if (elements == 0) return FinishNow(call, MakeFieldError("requests", "is empty"));
  if (elements > static_cast<int>(kMaxBatchElements)) {
    return FinishNow(call, MakeFieldError("requests", "has more than 4096 elements"));
  }

  const std::shared_ptr<const Realms> realms = parts.realms.Get();
  MonotonicTime began = call.timer.began();
  const MonotonicTime deadline = DeadlineOf(*call.context, began);
  const auto message_at = [&](size_t i) -> const v1::AuthenticateRequest& {
    return request->requests(static_cast<int>(i));
  };
  PreparedLogOns log_ons(static_cast<size_t>(elements), message_at, *realms);
  const auto batch = std::make_shared<BatchCall>(parts, call, static_cast<size_t>(elements));
  for (int i = 0; i < elements; ++i) {
    const auto element = static_cast<size_t>(i);
    const PreparedLogOn& log_on = log_ons.Take();
    InFlight::Permit permit = parts.in_flight.TryAcquire();
    if (!permit) {
      batch->Put(element, {.verdict = MakeTooManyInFlight()});
      continue;
    }
    const std::optional<LogOnAnswer> answer = parts.authenticator.Authenticate(
        *caller->caller, log_on, realms, began, deadline, [&]() { return batch->WaitFor(element, std::move(permit)); });
    if (!answer.has_value()) continue;
    batch->Put(element, *answer);
    if (answer->verdict.ok()) began = answer->decided_at;  // the next one's, without another look at the clock
  }
  return batch->Wait(deadline);
}

}  // namespace credcache
