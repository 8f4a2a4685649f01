// The lane of one AuthenticateStream.
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <string>
#include <vector>

#include "load/lane.h"
#include "load/message_reader.h"

namespace credcache::load {
namespace {

constexpr char kMethod[] = "/credcache.v1.AuthService/AuthenticateStream";

// The number of a log-on is that of its place, which is free again when the result is there.
class StreamLane final : public Lane {
 public:
  StreamLane(const LaneParts& parts, size_t in_flight, size_t batch)
      : parts_(parts), batch_(batch), stub_(parts.connection.channel()), places_(in_flight) {
    for (size_t id = in_flight; id-- > 0;) free_.push_back(id);
    parts_.connection.Prepare(context_);
    context_.set_deadline(std::chrono::system_clock::time_point::max());
    stream_ = stub_.PrepareCall(&context_, kMethod, &parts_.queue);
    stream_->StartCall(Post(started_));
  }

  size_t Room() const override { return open_ && !writing_ ? std::min(free_.size(), batch_) : 0; }

  void Send(absl::Span<const Asked> log_ons) override {
    numbered_.clear();
    for (const Asked& asked : log_ons) {
      const uint64_t id = free_.back();
      free_.pop_back();
      places_[id] = {.asked = asked, .taken = true};
      numbered_.push_back({.id = id, .log_on = asked.log_on});
    }
    writing_ = true;
    stream_->Write(parts_.writer.Stream(numbered_), Post(written_));
  }

  size_t in_flight() const override { return places_.size() - free_.size(); }
  void Close() override {
    closing_ = true;
    CloseWhenAnswered();
  }
  void Cancel() override { context_.TryCancel(); }
  bool closed() const override { return finished_ && posted_ == 0; }

 private:
  struct Place {
    Asked asked;
    bool taken = false;
  };

  class Step final : public Event {
   public:
    Step(StreamLane& lane, void (StreamLane::*step)(bool ok, Time now)) : lane_(lane), step_(step) {}
    void Complete(bool ok, Time now) override {
      --lane_.posted_;
      (lane_.*step_)(ok, now);
    }

   private:
    StreamLane& lane_;
    void (StreamLane::*step_)(bool ok, Time now);
  };

  // The tag of an operation that is about to be begun.
  void* Post(Step& step) {
    ++posted_;
    return static_cast<Event*>(&step);
  }
  void Read() { stream_->Read(&message_bytes_, Post(read_)); }
  void Finish() {
    open_ = false;
    stream_->Finish(&status_, Post(finish_));
  }

  void OnStarted(bool ok, Time) {
    if (!ok) return Finish();
    open_ = true;
    CloseWhenAnswered();
    Read();
  }

  void OnWritten(bool, Time) {  // if it failed, reading ends, and then the status tells why
    writing_ = false;
    CloseWhenAnswered();
  }

  void OnRead(bool ok, Time now) {
    if (!ok) return Finish();
    if (!Parse(message_bytes_, &message_)) return Misbehaved("a message that is none");
    parts_.owner.OnMessage();
    for (const v1::NumberedResult& numbered : message_.results()) {
      if (numbered.id() >= places_.size() || !places_[numbered.id()].taken) {
        return Misbehaved("a result with a number that nobody asked for");
      }
      Place& place = places_[numbered.id()];
      place.taken = false;
      free_.push_back(numbered.id());
      TellResult(place.asked, numbered.result(), parts_.owner, now);
    }
    CloseWhenAnswered();
    Read();
  }

  void Misbehaved(const char* what) {
    misbehaved_ = grpc::Status(grpc::StatusCode::INTERNAL, what);
    context_.TryCancel();
    Finish();
  }

  void OnFinish(bool, Time now) {
    finished_ = true;
    if (closing_ && in_flight() == 0) return;
    if (!misbehaved_.ok()) status_ = misbehaved_;
    if (status_.ok()) status_ = {grpc::StatusCode::UNAVAILABLE, "the server ended the stream"};
    for (size_t id = 0; id < places_.size(); ++id) {
      if (!places_[id].taken) continue;
      places_[id].taken = false;
      free_.push_back(id);
      parts_.owner.OnError(places_[id].asked, status_, now);
    }
    parts_.owner.OnBroken(status_);
  }

  void CloseWhenAnswered() {
    if (!closing_ || !open_ || writing_ || in_flight() > 0) return;
    open_ = false;
    stream_->WritesDone(Post(writes_done_));
  }
  void OnWritesDone(bool, Time) {}

  const LaneParts parts_;
  const size_t batch_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  std::vector<Place> places_;
  std::vector<uint64_t> free_;
  std::vector<NumberedLogOn> numbered_;
  grpc::ByteBuffer message_bytes_;
  v1::AuthenticateStreamResponse message_;
  grpc::Status status_;
  grpc::Status misbehaved_;

  Step started_{*this, &StreamLane::OnStarted};
  Step read_{*this, &StreamLane::OnRead};
  Step written_{*this, &StreamLane::OnWritten};
  Step writes_done_{*this, &StreamLane::OnWritesDone};
  Step finish_{*this, &StreamLane::OnFinish};
  int posted_ = 0;  // operations whose event has not come

  bool open_ = false;  // may be written to
  bool writing_ = false;
  bool closing_ = false;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<Lane> NewStreamLane(const LaneParts& parts, size_t in_flight, size_t batch) {
  return std::make_unique<StreamLane>(parts, in_flight, batch);
}

}  // namespace credcache::load
