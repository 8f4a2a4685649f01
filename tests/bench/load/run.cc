#include "load/run.h"

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <sys/prctl.h>

#include <algorithm>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "load/lane.h"
#include "load/message_reader.h"

namespace credcache::load {
namespace {

constexpr Nanoseconds kTick = std::chrono::milliseconds(100);
constexpr Nanoseconds kProgressInterval = std::chrono::seconds(1);
constexpr Nanoseconds kLate = std::chrono::milliseconds(1);
// An error that may pass is tried again while priming, so many times for each user on average.
constexpr uint64_t kPrimeRetries = 3;

enum class Phase : uint8_t { kPrime, kWarmUp, kMeasure, kEnd };
constexpr const char* kPhaseNames[] = {"priming", "warming up", "measuring", "ending"};

Nanoseconds ToNanoseconds(absl::Duration duration) { return absl::ToChronoNanoseconds(duration); }
double Seconds(Nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

// What will not go away by asking again.
bool IsLasting(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return status.error_details().empty();  // not the service's own word: the connection is gone
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::INTERNAL:
      return true;
    default:
      return false;
  }
}

// Invalidate, one call at a time.
class Invalidations final : public Event {
 public:
  Invalidations(const LaneParts& parts, uint64_t& count)
      : parts_(parts), count_(count), stub_(parts.connection.channel()) {}

  void Send(uint32_t user) {
    context_.emplace();
    parts_.connection.Prepare(*context_);
    reader_ = stub_.PrepareUnaryCall(&*context_, "/credcache.v1.AuthService/Invalidate", parts_.writer.Invalidate(user),
                                     &parts_.queue);
    reader_->StartCall();
    reader_->Finish(&response_, &status_, static_cast<Event*>(this));
  }
  bool idle() const { return !context_.has_value(); }
  void Cancel() {
    if (!idle()) context_->TryCancel();
  }

  void Complete(bool, Time) override {
    reader_.reset();
    context_.reset();
    if (status_.ok()) {
      ++count_;
    } else if (status_.error_code() != grpc::StatusCode::CANCELLED) {
      parts_.owner.OnBroken(status_);
    }
  }

 private:
  const LaneParts parts_;
  uint64_t& count_;
  grpc::GenericStub stub_;
  std::optional<grpc::ClientContext> context_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
  grpc::ByteBuffer response_;
  grpc::Status status_;
};

class Run final : public LaneOwner {
 public:
  Run(const RunOptions& options, const std::vector<cli::Connection>& connections, const std::atomic<bool>& interrupted,
      const std::function<void(const Progress&)>& progress)
      : options_(options),
        connections_(connections),
        interrupted_(interrupted),
        progress_(progress),
        writer_(options.realm),
        workload_(options.workload),
        unit_(options.method == Method::kBatch ? static_cast<size_t>(options.batch) : 1) {
    const size_t count = connections.size();
    for (size_t i = 0; i < count; ++i) {
      const size_t share = (static_cast<size_t>(options.in_flight) + i) / count;
      if (share > 0) lanes_.push_back(NewLane(Parts(i), share));
    }
    invalidations_ = std::make_unique<Invalidations>(Parts(0), result_.invalidations);
  }

  RunResult Execute() {
    {
      const absl::MutexLock lock(&mutex_);
      begin_ = last_answer_ = last_progress_ = Clock::now();
      next_tick_ = begin_ + kTick;
      if (!options_.prime) BeginLoad(begin_);
      Advance();
    }
    Poll();
    if (pacer_.joinable()) pacer_.join();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
    const absl::MutexLock lock(&mutex_);
    Conclude();
    return std::move(result_);
  }

 private:
  LaneParts Parts(size_t connection) { return {connections_[connection], writer_, queue_, *this}; }

  std::unique_ptr<Lane> NewLane(const LaneParts& parts, size_t in_flight) const {
    const auto batch = static_cast<size_t>(options_.batch);
    switch (options_.method) {
      case Method::kUnary:
        return NewUnaryLane(parts, in_flight);
      case Method::kBatch:
        return NewBatchLane(parts, in_flight, batch);
      case Method::kStream:
        break;
    }
    return NewStreamLane(parts, in_flight, batch);
  }

  // --- The thread that polls ---

  void Poll() {
    Time wake = Time::min();
    gpr_timespec deadline = {};
    while (true) {
      {
        const absl::MutexLock lock(&mutex_);
        if (Ended()) return;
        const Time next = std::min({next_tick_, phase_end_, next_invalidation_});
        if (next != wake) {
          wake = next;
          deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                  gpr_time_from_nanos(Nanoseconds(wake - Clock::now()).count(), GPR_TIMESPAN));
        }
      }
      void* tag = nullptr;
      bool ok = false;
      const auto got = queue_.AsyncNext(&tag, &ok, deadline);
      const Time now = Clock::now();
      const absl::MutexLock lock(&mutex_);
      if (got == grpc::CompletionQueue::GOT_EVENT) static_cast<Event*>(tag)->Complete(ok, now);
      if (now >= phase_end_) NextPhase(now);
      if (now >= next_invalidation_) Invalidate(now);
      if (now >= next_tick_) Tick(now);
      Advance();
    }
  }

  bool Ended() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return phase_ == Phase::kEnd && invalidations_->idle() &&
           std::all_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->closed(); });
  }

  void Tick(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    next_tick_ = now + kTick;
    if (interrupted_.load() && phase_ != Phase::kEnd) Stop(RunError::kInterrupted, "interrupted", now);
    if (in_flight() == 0) {
      last_answer_ = now;
    } else if (now - last_answer_ > ToNanoseconds(options_.timeout)) {
      Stop(RunError::kUnavailable, absl::StrCat("no answer within ", absl::FormatDuration(options_.timeout)), now);
    }
    // A stream that the server does not end.
    if (phase_ == Phase::kEnd && now - ended_ > ToNanoseconds(options_.timeout)) Cancel();
    if (now - last_progress_ < kProgressInterval) return;
    progress_({.phase = kPhaseNames[static_cast<size_t>(phase_)],
               .seconds = Seconds(now - begin_),
               .answers_a_second = static_cast<double>(answers_ - answers_told_) / Seconds(now - last_progress_),
               .errors = errors_ + result_.unexpected});
    answers_told_ = answers_;
    last_progress_ = now;
  }

  size_t in_flight() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    size_t sum = 0;
    for (const auto& lane : lanes_) sum += lane->in_flight();
    return sum;
  }

  void Invalidate(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    next_invalidation_ = now + ToNanoseconds(*options_.invalidate_every);
    if (invalidations_->idle()) invalidations_->Send(workload_.AnyMissUser());
  }

  // --- Phases ---

  void BeginLoad(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    phase_ = Phase::kWarmUp;
    phase_end_ = now + ToNanoseconds(options_.warm_up);
    if (options_.invalidate_every.has_value()) next_invalidation_ = now + ToNanoseconds(*options_.invalidate_every);
    if (!options_.rate.has_value()) return;
    measure_begin_ = phase_end_;
    measure_end_ = measure_begin_ + ToNanoseconds(options_.duration);
    schedule_.emplace(now, *options_.rate / static_cast<double>(unit_));
    pacer_ = std::thread([this] { Pace(); });
  }

  void NextPhase(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (phase_ == Phase::kWarmUp) {
      phase_ = Phase::kMeasure;
      if (!schedule_.has_value()) {
        measure_begin_ = now;
        measure_end_ = now + ToNanoseconds(options_.duration);
      }
      phase_end_ = measure_end_;
    } else {
      Advance();  // what is due to the last moment
      End(now);
    }
  }

  // Begins nothing more.
  void End(Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (phase_ == Phase::kMeasure) {
      if (!schedule_.has_value() || result_.partial) measure_end_ = now;
      result_.seconds = Seconds(measure_end_ - measure_begin_);
      if (schedule_.has_value()) {
        result_.never_started = static_cast<uint64_t>(schedule_->Missed(measure_end_)) * unit_;
      }
    }
    phase_ = Phase::kEnd;
    ended_ = now;
    phase_end_ = next_invalidation_ = Time::max();
    for (const auto& lane : lanes_) lane->Close();
  }

  void Stop(RunError error, std::string message, Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (result_.error == RunError::kNone) {
      result_.error = error;
      result_.message = std::move(message);
    }
    if (phase_ != Phase::kEnd) {
      result_.partial = true;
      End(now);
    }
    Cancel();
  }

  void Cancel() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (const auto& lane : lanes_) lane->Cancel();
    invalidations_->Cancel();
  }

  // What the whole run amounts to, unless it was stopped.
  void Conclude() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (result_.error != RunError::kNone) return;
    if (result_.unexpected > 0) {
      result_.message = absl::StrCat(result_.unexpected, " wrong answers; the first: ", wrong_);
    } else if (errors_ > 0) {
      result_.message = absl::StrCat(errors_, " log-ons without an answer; the first: ", first_error_);
    } else if (result_.tally.answers == 0) {
      result_.message = "no log-on was answered within the duration";
    }
    if (!result_.message.empty()) result_.error = RunError::kFailed;
  }

  // --- What is begun ---

  // Fills asked_ with what is due and fits into one message.
  void TakeDue(size_t room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    asked_.clear();
    if (phase_ == Phase::kEnd) return;
    const Time now = Clock::now();
    if (phase_ == Phase::kPrime) {
      while (asked_.size() < room && !unprimed_.empty()) {
        asked_.push_back({{Kind::kHit, unprimed_.back()}, now});
        unprimed_.pop_back();
      }
      while (asked_.size() < room && next_primed_ < options_.workload.users) {
        asked_.push_back({{Kind::kHit, next_primed_++}, now});
      }
    } else if (!schedule_.has_value()) {
      while (asked_.size() < room) asked_.push_back({workload_.Next(), now});
    } else {
      while (asked_.size() + unit_ <= room && schedule_->due() <= now) {
        const Time due = schedule_->Take();
        if (due >= measure_begin_ && due < measure_end_) {
          if (now - due > kLate) result_.late_starts += unit_;
          result_.latest_start = std::max<Nanoseconds>(result_.latest_start, now - due);
        }
        for (size_t i = 0; i < unit_; ++i) asked_.push_back({workload_.Next(), due});
      }
    }
  }

  // Begins all that is due and has room, the connections in turn.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (size_t idle = 0; idle < lanes_.size(); next_lane_ = (next_lane_ + 1) % lanes_.size()) {
      Lane& lane = *lanes_[next_lane_];
      const size_t room = lane.Room();
      ++idle;
      if (room == 0) continue;
      TakeDue(room);
      if (asked_.empty()) break;
      lane.Send(asked_);
      idle = 0;
    }
    if (phase_ == Phase::kPrime && in_flight() == 0 && next_primed_ == options_.workload.users && unprimed_.empty()) {
      BeginLoad(Clock::now());
    }
  }

  // The open loop's thread.
  void Pace() {
    prctl(PR_SET_TIMERSLACK, 1);
    Time wake = Time::min();
    while (true) {
      std::this_thread::sleep_until(wake);
      const absl::MutexLock lock(&mutex_);
      if (phase_ == Phase::kEnd) return;
      Advance();
      // Where there is no room for what is due, the next answer makes some, and the other thread sees to it.
      const Time now = Clock::now();
      wake = schedule_->due() <= now ? now + kLate : std::min(schedule_->due(), now + kTick);
    }
  }

  // --- What comes back ---

  bool Counts(const Asked& asked) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!schedule_.has_value()) return phase_ == Phase::kMeasure;
    return asked.begin >= measure_begin_ && asked.begin < measure_end_;
  }

  void OnMessage() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (phase_ == Phase::kMeasure) ++result_.tally.messages;
  }

  void OnAnswer(const Asked& asked, const v1::AuthenticateResponse& response, Time now) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ++answers_;
    last_answer_ = now;
    if (const absl::string_view why = WhyUnexpected(asked.log_on.kind, response); !why.empty()) {
      if (result_.unexpected++ == 0) {
        wrong_ = absl::StrCat(why, " (", workload::Credentials(asked.log_on.user).username(), ": ",
                              v1::Outcome_Name(response.outcome()), ")");
      }
      if (phase_ == Phase::kPrime) Stop(RunError::kFailed, absl::StrCat("while priming, ", wrong_), now);
    }
    if (Counts(asked)) {
      result_.tally.Count(asked.log_on.kind, response, static_cast<uint64_t>(Nanoseconds(now - asked.begin).count()));
    }
  }

  void OnError(const Asked& asked, const grpc::Status& status, Time now) override
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (phase_ == Phase::kPrime && !IsLasting(status) && prime_retries_++ < kPrimeRetries * options_.workload.users) {
      unprimed_.push_back(asked.log_on.user);
      return;
    }
    if (status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED) last_answer_ = now;
    // What the end of the run cuts off is no error of its own.
    if (phase_ == Phase::kEnd && result_.error != RunError::kNone) return;
    if (errors_++ == 0) first_error_ = connections_.front().Explain(status).error_message();
    if (Counts(asked)) ++result_.tally.errors;
    if (phase_ == Phase::kPrime || IsLasting(status)) OnBroken(status);
  }

  void OnBroken(const grpc::Status& status) override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool gone = status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty();
    Stop(gone ? RunError::kUnavailable : RunError::kFailed, connections_.front().Explain(status).error_message(),
         Clock::now());
  }

  const RunOptions& options_;
  const std::vector<cli::Connection>& connections_;
  const std::atomic<bool>& interrupted_;
  const std::function<void(const Progress&)>& progress_;
  const RequestWriter writer_;
  grpc::CompletionQueue queue_;

  absl::Mutex mutex_;
  Workload workload_ ABSL_GUARDED_BY(mutex_);
  const size_t unit_;  // log-ons that are due together
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unique_ptr<Invalidations> invalidations_;
  std::optional<Schedule> schedule_ ABSL_GUARDED_BY(mutex_);  // of an open loop, once it has begun
  std::thread pacer_;

  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kPrime;
  Time begin_ ABSL_GUARDED_BY(mutex_);
  Time phase_end_ ABSL_GUARDED_BY(mutex_) = Time::max();
  Time ended_ ABSL_GUARDED_BY(mutex_);  // when kEnd began
  Time measure_begin_ ABSL_GUARDED_BY(mutex_) = Time::max();
  Time measure_end_ ABSL_GUARDED_BY(mutex_) = Time::max();
  Time next_tick_ ABSL_GUARDED_BY(mutex_);
  Time next_invalidation_ ABSL_GUARDED_BY(mutex_) = Time::max();
  Time last_answer_ ABSL_GUARDED_BY(mutex_);
  Time last_progress_ ABSL_GUARDED_BY(mutex_);

  std::vector<Asked> asked_ ABSL_GUARDED_BY(mutex_);
  size_t next_lane_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t next_primed_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<uint32_t> unprimed_ ABSL_GUARDED_BY(mutex_);  // to be tried again
  uint64_t prime_retries_ ABSL_GUARDED_BY(mutex_) = 0;

  RunResult result_ ABSL_GUARDED_BY(mutex_);
  uint64_t answers_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t answers_told_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t errors_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string first_error_ ABSL_GUARDED_BY(mutex_);
  std::string wrong_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

RunResult Execute(const RunOptions& options, const std::vector<cli::Connection>& connections,
                  const std::atomic<bool>& interrupted, const std::function<void(const Progress&)>& progress) {
  return Run(options, connections, interrupted, progress).Execute();
}

}  // namespace credcache::load
