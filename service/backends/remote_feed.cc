#include "backends/remote_feed.h"

#include <grpc/support/time.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "backends/remote_messages.h"
#include "backends/remote_status.h"
#include "base/jitter.h"

namespace credcache {
namespace {

constexpr char kWatch[] = "/credcache.validator.v1.ValidatorService/Watch";

constexpr absl::Duration kFirstWait = absl::Milliseconds(100);
constexpr absl::Duration kLongestWait = absl::Seconds(5);
// While there is no connection the channel itself waits between its attempts, and a call costs nobody anything.
constexpr absl::Duration kLongestWaitUnconnected = absl::Milliseconds(500);
constexpr absl::Duration kWaitUnimplemented = absl::Minutes(1);
// A stream that lasted so long was a good one.
constexpr absl::Duration kSteady = absl::Seconds(10);

}  // namespace

// One call of Watch, used by one thread, one operation at a time.
class RemoteFeed::Stream {
 public:
  enum class Event : uint8_t { kMessage, kEnd, kLate };

  Stream(grpc::GenericStub& stub, grpc::ClientContext& context, Clock& clock)
      : context_(context), clock_(clock), call_(stub.PrepareCall(&context, kWatch, &queue_)) {}

  // To be called first. kMessage: the request has been sent; otherwise as Read, but not to be called again.
  Event Open(const std::string& realm, MonotonicTime deadline) {
    under_way_ = true;
    call_->StartCall(this);
    const Event started = Wait(deadline);
    if (started != Event::kMessage) return started;
    under_way_ = true;
    call_->WriteLast(WatchRequestBytes(realm), grpc::WriteOptions(), this);
    return Wait(deadline);
  }

  // Ends it, if it has not ended, and with it all that it began.
  ~Stream() {
    context_.TryCancel();
    if (under_way_) Wait(MonotonicTime::InfiniteFuture());
    if (!finished_) Finish();
    queue_.Shutdown();
    void* tag = nullptr;
    bool good = false;
    while (queue_.Next(&tag, &good)) {
    }
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // The next message, in message(); or the end; or neither until `deadline`, and then the next Read goes on waiting for
  // the same message.
  Event Read(MonotonicTime deadline) {
    if (!under_way_) {
      under_way_ = true;
      call_->Read(&message_, this);
    }
    return Wait(deadline);
  }
  const grpc::ByteBuffer& message() const { return message_; }

  // How it ended; it is cancelled if it has not. After that nothing but the destructor.
  grpc::Status Finish() {
    grpc::Status status;
    finished_ = true;
    under_way_ = true;
    call_->Finish(&status, this);
    Wait(MonotonicTime::InfiniteFuture());
    return status;
  }

 private:
  Event Wait(MonotonicTime deadline) {
    void* tag = nullptr;
    bool good = false;
    if (queue_.AsyncNext(&tag, &good, TimeOf(deadline)) == grpc::CompletionQueue::TIMEOUT) return Event::kLate;
    under_way_ = false;
    return good ? Event::kMessage : Event::kEnd;
  }
  gpr_timespec TimeOf(MonotonicTime deadline) const {
    if (deadline == MonotonicTime::InfiniteFuture()) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    const int64_t left = absl::ToInt64Nanoseconds(std::max(deadline - clock_.Monotonic(), absl::ZeroDuration()));
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left, GPR_TIMESPAN));
  }

  grpc::ClientContext& context_;
  Clock& clock_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  grpc::ByteBuffer message_;
  bool under_way_ = false;
  bool finished_ = false;
};

RemoteFeed::RemoteFeed(const RemoteBackendOptions& options, std::shared_ptr<grpc::Channel> channel, Clock& clock,
                       Randomness& randomness, Reporter& reporter, std::shared_ptr<ChangeListener> listener)
    : options_(options),
      channel_(std::move(channel)),
      stub_(channel_),
      clock_(clock),
      randomness_(randomness),
      reporter_(reporter),
      listener_(std::move(listener)),
      pacer_(options.address, clock, reporter, *listener_) {
  listener_->FeedDown("the plug-in has not been heard from yet");
  thread_ = std::thread([this] { Run(); });
}

RemoteFeed::~RemoteFeed() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  thread_.join();
}

void RemoteFeed::Run() {
  pthread_setname_np(pthread_self(), "remote-feed");
  absl::Duration wait = kFirstWait;
  while (true) {
    const MonotonicTime began = clock_.Monotonic();
    const End end = Follow();
    const MonotonicTime ended = clock_.Monotonic();
    if (WaitUntil(ended)) return;
    listener_->FeedDown(end.why);
    Report(end);
    if (ended - began >= kSteady) wait = kFirstWait;
    absl::Duration now = end.unimplemented ? kWaitUnimplemented : wait;
    if (channel_->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_READY)
      now = std::min(now, kLongestWaitUnconnected);
    if (WaitUntil(ended + Jittered(now, randomness_))) return;
    wait = std::min(wait * 2, kLongestWait);
  }
}

RemoteFeed::End RemoteFeed::Follow() {
  grpc::ClientContext context;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return {};
    context_ = &context;
  }
  End end;
  {
    Stream stream(stub_, context, clock_);
    end = Listen(stream);
  }
  pacer_.End();
  absl::MutexLock lock(&mutex_);
  context_ = nullptr;
  return end;
}

RemoteFeed::End RemoteFeed::Listen(Stream& stream) {
  const MonotonicTime begin_by = clock_.Monotonic() + options_.timeout;
  Stream::Event event = stream.Open(options_.realm, begin_by);
  if (event == Stream::Event::kMessage) event = stream.Read(begin_by);
  if (event == Stream::Event::kEnd) return EndOf(stream);
  if (event == Stream::Event::kLate) {
    return {.why = absl::StrCat("Watch did not begin within ", absl::FormatDuration(options_.timeout))};
  }
  RemoteChanges changes = ChangesFrom(stream.message(), options_.case_rule);
  const absl::Duration patience =
      changes.heartbeat.has_value() ? 2 * *changes.heartbeat : absl::InfiniteDuration();  // with its silence
  pacer_.Begin(changes);
  listener_->FeedUp();
  reported_.clear();

  while (true) {
    if (Pause()) return {};
    const MonotonicTime silent_until = clock_.Monotonic() + patience;
    do {
      event = stream.Read(std::min(silent_until, pacer_.due()));
      pacer_.Tell();
    } while (event == Stream::Event::kLate && clock_.Monotonic() < silent_until);
    if (event == Stream::Event::kEnd) return EndOf(stream);
    if (event == Stream::Event::kLate) {
      return {.why = absl::StrCat("Watch was silent for ", absl::FormatDuration(patience))};
    }
    changes = ChangesFrom(stream.message(), options_.case_rule);
    pacer_.Take(changes);
  }
}

bool RemoteFeed::Pause() {
  while (clock_.Monotonic() < pacer_.paused_until()) {
    if (WaitUntil(std::min(pacer_.paused_until(), pacer_.due()))) return true;
    pacer_.Tell();
  }
  return false;
}

RemoteFeed::End RemoteFeed::EndOf(Stream& stream) {
  const grpc::Status status = stream.Finish();
  return {.why = status.ok() ? "the plug-in ended Watch" : absl::StrCat("Watch: ", StatusText(status)),
          .unimplemented = status.error_code() == grpc::StatusCode::UNIMPLEMENTED};
}

void RemoteFeed::Report(const End& end) {
  if (end.why == reported_) return;
  reported_ = end.why;
  reporter_.Report(Severity::kWarning, "remote_feed",
                   absl::StrCat(options_.address, ": ", end.why,
                                end.unimplemented ? "; it has no Watch, which `feed: true` relies on" : ""));
}

bool RemoteFeed::WaitUntil(MonotonicTime time) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&stopping_), time - clock_.Monotonic());
}

}  // namespace credcache
