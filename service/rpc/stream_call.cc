#include "rpc/stream_call.h"

#include <grpc/grpc.h>

#include <algorithm>
#include <string>
#include <utility>

#include "rpc/codec.h"
#include "rpc/convert.h"
#include "rpc/kept_request.h"
#include "rpc/status.h"

namespace credcache {
namespace {

// A message of results is closed when it has so many bytes, well below what clients take by default (4 MB).
constexpr size_t kMaxResponseSize = size_t{256} << 10;

// Memory is taken for so many results of a message beforehand.
constexpr size_t kUsualRequests = 64;

}  // namespace

StreamCall::StreamCall(const RpcParts& parts, const Listener& listener, grpc::CallbackServerContext* context,
                       CallTimer timer, IdentifiedCaller caller)
    : parts_(parts),
      context_(context),
      timer_(timer),
      call_deadline_(DeadlineOf(*context, timer.began())),
      ends_at_(timer.began() + parts.stream_limits.max_age),
      evidence_(EvidenceOf(listener, *context)),
      caller_(std::move(caller)) {}

void StreamCall::Start() {
  {
    absl::MutexLock lock(&mutex_);
    self_ = shared_from_this();
    if (ends_at_ != MonotonicTime::InfiniteFuture()) ArmAlarm(ends_at_);
  }
  parts_.streams.Add(self_);
  Advance();
}

void StreamCall::BeginDrain() {
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
  }
  Advance();
}

void StreamCall::OnReadDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    reading_ = false;
    if (ok) {
      processing_ = true;
    } else {
      half_closed_ = true;
    }
  }
  if (ok) {
    const absl::Status status = Process();
    {
      absl::MutexLock lock(&mutex_);
      processing_ = false;
    }
    if (!status.ok()) return End(status);
  }
  Advance();
}

absl::Status StreamCall::Process() {
  const MonotonicTime received = parts_.clock.Monotonic();
  KeptRequest<v1::AuthenticateStreamRequest> message;
  absl::Status parsed = ParseAndWipe(read_buffer_, message.get());
  read_buffer_.Clear();
  if (!parsed.ok()) return parsed;
  if (message->requests_size() > static_cast<int>(kMaxBatchElements)) {
    return MakeFieldError("requests", "has more than 4096 elements");
  }
  if (absl::Status status = CheckCaller(); !status.ok()) return status;
  const std::shared_ptr<const Realms> realms = parts_.realms.Get();
  MonotonicTime now = received;
  ResultWriter results;
  size_t count = 0;
  results.Reserve(std::min(static_cast<size_t>(message->requests_size()), kUsualRequests));
  const auto put = [&] {
    absl::MutexLock lock(&mutex_);
    Put(std::exchange(results, {}), std::exchange(count, 0));
  };
  const auto message_at = [&](size_t i) -> const v1::AuthenticateRequest& {
    return message->requests(static_cast<int>(i)).request();
  };
  PreparedLogOns log_ons(static_cast<size_t>(message->requests_size()), message_at, *realms);
  for (const v1::NumberedRequest& numbered : message->requests()) {
    const std::optional<LogOnAnswer> answer = Begin(numbered, log_ons.Take(), realms, received, now);
    if (!answer.has_value()) continue;
    result_.set_id(numbered.id());
    ToProto(*answer, result_.mutable_result());
    results.Append(result_);
    ++count;
    if (results.size() > kMaxResponseSize) put();
  }
  if (count > 0) put();
  return absl::OkStatus();
}

// What a caller may do can change while its stream is open.
absl::Status StreamCall::CheckCaller() {
  std::shared_ptr<const Callers> callers = parts_.callers.Get();
  if (callers == caller_.callers) return absl::OkStatus();
  const absl::StatusOr<const Caller*> caller = callers->Identify(evidence_);
  if (!caller.ok()) return caller.status();
  caller_ = {.callers = std::move(callers), .caller = *caller};
  return absl::OkStatus();
}

std::optional<LogOnAnswer> StreamCall::Begin(const v1::NumberedRequest& numbered, const PreparedLogOn& log_on,
                                             const std::shared_ptr<const Realms>& realms, MonotonicTime received,
                                             MonotonicTime& now) {
  absl::StatusOr<absl::Duration> timeout = parts_.stream_limits.default_timeout;
  if (numbered.has_timeout()) timeout = FromProto(numbered.timeout(), "timeout");
  if (!timeout.ok()) return LogOnAnswer{.verdict = timeout.status()};
  InFlight::Permit permit = parts_.in_flight.TryAcquire();
  if (!permit) return LogOnAnswer{.verdict = MakeTooManyInFlight()};

  const MonotonicTime deadline = std::min(received + *timeout, call_deadline_);
  const auto wait = [&]() -> Authenticator::Later {
    absl::MutexLock lock(&mutex_);
    const uint64_t key = next_key_++;
    if (!ended_) {  // else the client has just left, and nobody would take it off again before the answer
      pending_.emplace(key, Pending{.id = numbered.id(), .deadline = deadline, .permit = std::move(permit)});
      if (deadline != MonotonicTime::InfiniteFuture()) {
        deadlines_.emplace(deadline, key);
        ArmAlarm(deadline);
      }
    }
    return [self = shared_from_this(), key](const LogOnAnswer& answer) { self->Arrived(key, answer); };
  };
  std::optional<LogOnAnswer> answer =
      parts_.authenticator.Authenticate(*caller_.caller, log_on, realms, now, deadline, wait);
  if (answer.has_value() && answer->verdict.ok()) now = answer->decided_at;
  return answer;
}

void StreamCall::Arrived(uint64_t key, const LogOnAnswer& answer) {
  {
    absl::MutexLock lock(&mutex_);
    const auto it = pending_.find(key);
    if (it == pending_.end()) return;  // too late
    deadlines_.erase({it->second.deadline, key});
    Put(it->second.id, answer);
    pending_.erase(it);
  }
  Advance();
}

void StreamCall::Put(uint64_t id, const LogOnAnswer& answer) {
  v1::NumberedResult result;
  result.set_id(id);
  ToProto(answer, result.mutable_result());
  ResultWriter results;
  results.Append(result);
  Put(std::move(results), 1);
}

void StreamCall::Put(ResultWriter results, size_t count) {
  if (ended_) return;
  if (ready_.empty() || ready_.back().results.size() > kMaxResponseSize) {
    ready_.push_back({.results = std::move(results), .count = count});
  } else {
    ready_.back().results.Append(results.bytes());
    ready_.back().count += count;
  }
  unsent_ += count;
}

void StreamCall::Advance() {
  ResultWriter message;
  bool read = false;
  bool write = false;
  bool end = false;
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    if (!writing_ && !processing_ && !ready_.empty()) {
      write = writing_ = true;
      message = std::move(ready_.front().results);
      writing_results_ = ready_.front().count;
      ready_.pop_front();
      write_began_ = parts_.clock.Monotonic();
      ArmAlarm(write_began_ + parts_.stream_limits.write_stall);
    }
    if (!reading_ && !processing_ && !Closing() && pending_.size() + unsent_ < parts_.stream_limits.max_unanswered) {
      read = reading_ = true;
    }
    end = Closing() && !processing_ && !writing_ && pending_.empty() && ready_.empty();
  }
  if (write) {
    write_buffer_ = message.Take();
    StartWrite(&write_buffer_);
  }
  if (read) StartRead(&read_buffer_);
  if (end) End(absl::OkStatus());
}

void StreamCall::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    unsent_ -= writing_results_;
  }
  if (ok) Advance();  // else OnCancel comes, or has come
}

void StreamCall::OnCancel() {
  const bool late = parts_.clock.Monotonic() >= call_deadline_;
  End(late ? MakeError(ErrorReason::kDeadlineExceeded, "the stream's deadline passed")
           : MakeError(ErrorReason::kCancelled, "the client left"));
}

void StreamCall::End(const absl::Status& status) {
  absl::flat_hash_map<uint64_t, Pending> dropped;
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    ended_ = true;
    dropped.swap(pending_);
    deadlines_.clear();
    ready_.clear();
    alarm_.reset();
  }
  parts_.streams.Remove(this);
  timer_.End(status.ok() ? absl::StatusCode::kOk : CodeOf(ReasonOf(status)));
  Finish(ToGrpcStatus(status));
}

void StreamCall::OnDone() { const std::shared_ptr<StreamCall> self = std::move(self_); }

// One alarm at a time, for the next moment at which something may be due. A later one needs no alarm of its own: the
// earlier sets it when it rings.
void StreamCall::ArmAlarm(MonotonicTime time) {
  if (ended_ || (alarm_ != nullptr && alarm_time_ <= time)) return;
  alarm_ = std::make_unique<grpc::Alarm>();  // ends the one before
  alarm_time_ = time;
  const uint64_t generation = ++alarm_generation_;
  alarm_->Set(AlarmTime(time, parts_.clock), [self = shared_from_this(), generation](bool due) mutable {
    if (due) self->OnAlarm(generation);
    self.reset();
  });
}

void StreamCall::OnAlarm(uint64_t generation) {
  bool stalled = false;
  {
    absl::MutexLock lock(&mutex_);
    if (ended_ || generation != alarm_generation_) return;
    alarm_.reset();
    const MonotonicTime now = parts_.clock.Monotonic();
    const MonotonicTime stalls_at = write_began_ + parts_.stream_limits.write_stall;
    stalled = writing_ && now >= stalls_at;
    ExpireRequests(now);
    if (now >= ends_at_) draining_ = true;
    if (!deadlines_.empty()) ArmAlarm(deadlines_.begin()->first);
    if (writing_ && !stalled) ArmAlarm(stalls_at);
    if (!draining_ && ends_at_ != MonotonicTime::InfiniteFuture()) ArmAlarm(ends_at_);
  }
  if (!stalled) return Advance();
  // A status waits behind the data that the client does not take; a cancellation does not, and carries a code and a
  // text.
  const absl::Status status =
      MakeError(ErrorReason::kClientDoesNotRead, "the client has read no results for too long; the stream is ended");
  grpc_call_cancel_with_status(context_->c_call(), GRPC_STATUS_RESOURCE_EXHAUSTED,
                               std::string(status.message()).c_str(), nullptr);
  End(status);
}

void StreamCall::ExpireRequests(MonotonicTime now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const uint64_t key = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const auto it = pending_.find(key);
    Put(it->second.id, {.verdict = MakeError(ErrorReason::kDeadlineExceeded,
                                             "the request's timeout passed before there was an answer")});
    pending_.erase(it);
  }
}

ByteStreamReactor* RefuseStream(const CallTimer& timer, const absl::Status& error) {
  class Refused final : public ByteStreamReactor {
   public:
    explicit Refused(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
    void OnDone() override { delete this; }
  };
  timer.End(CodeOf(ReasonOf(error)));
  return new Refused(error);
}

ByteStreamReactor* HandleAuthenticateStream(const RpcParts& parts, const Listener& listener,
                                            grpc::CallbackServerContext* context, CallTimer timer) {
  absl::StatusOr<IdentifiedCaller> caller = IdentifyCaller(parts, listener, *context);
  absl::Status status = caller.status();
  if (status.ok()) {
    status = caller->caller->MayDo(Permission::kAuthenticate);
    if (!status.ok()) parts.reporter.Report(Severity::kWarning, "caller_refused", status.message());
  }
  if (!status.ok()) return RefuseStream(timer, status);
  const auto stream = std::make_shared<StreamCall>(parts, listener, context, timer, *std::move(caller));
  stream->Start();
  return stream.get();
}

}  // namespace credcache
