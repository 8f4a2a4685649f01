// The lanes of unary calls: Authenticate and BatchAuthenticate.
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "load/lane.h"
#include "load/message_reader.h"

namespace credcache::load {
namespace {

const grpc::Status& Unreadable() {
  static const auto& status = *new grpc::Status(grpc::StatusCode::INTERNAL, "an answer that is no such message");
  return status;
}

// `Method` knows how log-ons become a request, and what a response says of each.
template <typename Method>
class CallLane final : public Lane {
 public:
  CallLane(const LaneParts& parts, size_t in_flight, size_t batch)
      : parts_(parts), batch_(batch), stub_(parts.connection.channel()), calls_(in_flight) {
    for (Call& call : calls_) {
      call.lane = this;
      free_.push_back(&call);
    }
  }

  size_t Room() const override { return free_.empty() ? 0 : batch_; }

  void Send(absl::Span<const Asked> log_ons) override {
    Call& call = *free_.back();
    free_.pop_back();
    call.asked.assign(log_ons.begin(), log_ons.end());
    call.context.emplace();
    parts_.connection.Prepare(*call.context);
    call.reader =
        stub_.PrepareUnaryCall(&*call.context, name_, Method::Request(parts_.writer, call.asked), &parts_.queue);
    call.reader->StartCall();
    call.reader->Finish(&call.response, &call.status, static_cast<Event*>(&call));
    in_flight_ += log_ons.size();
  }

  size_t in_flight() const override { return in_flight_; }
  void Close() override {}
  void Cancel() override {
    for (Call& call : calls_) {
      if (call.context.has_value()) call.context->TryCancel();
    }
  }
  bool closed() const override { return free_.size() == calls_.size(); }

 private:
  struct Call final : Event {
    void Complete(bool, Time now) override { lane->Answered(*this, now); }

    CallLane* lane = nullptr;
    absl::InlinedVector<Asked, 1> asked;
    std::optional<grpc::ClientContext> context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
  };

  void Answered(Call& call, Time now) {
    in_flight_ -= call.asked.size();
    if (call.status.ok() && Parse(call.response, &message_) && Method::Matches(message_, call.asked.size())) {
      parts_.owner.OnMessage();
      Method::Tell(message_, call.asked, parts_.owner, now);
    } else {
      const grpc::Status& status = call.status.ok() ? Unreadable() : call.status;
      for (const Asked& asked : call.asked) parts_.owner.OnError(asked, status, now);
    }
    call.reader.reset();
    call.context.reset();
    call.response.Clear();
    free_.push_back(&call);
  }

  const LaneParts parts_;
  const size_t batch_;
  const std::string name_ = Method::kName;
  grpc::GenericStub stub_;
  std::vector<Call> calls_;
  std::vector<Call*> free_;
  size_t in_flight_ = 0;
  typename Method::Response message_;
};

struct UnaryMethod {
  static constexpr char kName[] = "/credcache.v1.AuthService/Authenticate";
  using Response = v1::AuthenticateResponse;

  static grpc::ByteBuffer Request(const RequestWriter& writer, absl::Span<const Asked> asked) {
    return writer.Unary(asked.front().log_on);
  }
  static bool Matches(const Response&, size_t) { return true; }
  static void Tell(const Response& response, absl::Span<const Asked> asked, LaneOwner& owner, Time now) {
    owner.OnAnswer(asked.front(), response, now);
  }
};

struct BatchMethod {
  static constexpr char kName[] = "/credcache.v1.AuthService/BatchAuthenticate";
  using Response = v1::BatchAuthenticateResponse;

  static grpc::ByteBuffer Request(const RequestWriter& writer, absl::Span<const Asked> asked) {
    std::vector<LogOn> log_ons;
    log_ons.reserve(asked.size());
    for (const Asked& one : asked) log_ons.push_back(one.log_on);
    return writer.Batch(log_ons);
  }
  static bool Matches(const Response& response, size_t size) {
    return response.results_size() == static_cast<int>(size);
  }
  static void Tell(const Response& response, absl::Span<const Asked> asked, LaneOwner& owner, Time now) {
    for (size_t i = 0; i < asked.size(); ++i) TellResult(asked[i], response.results(static_cast<int>(i)), owner, now);
  }
};

}  // namespace

void TellResult(const Asked& asked, const v1::AuthenticateResult& result, LaneOwner& owner, Time now) {
  if (!result.has_error()) return owner.OnAnswer(asked, result.response(), now);
  const google::rpc::Status& error = result.error();
  owner.OnError(asked,
                {static_cast<grpc::StatusCode>(error.code()), "the result's error: " + error.message(),
                 error.SerializeAsString()},
                now);
}

std::unique_ptr<Lane> NewUnaryLane(const LaneParts& parts, size_t in_flight) {
  return std::make_unique<CallLane<UnaryMethod>>(parts, in_flight, 1);
}

std::unique_ptr<Lane> NewBatchLane(const LaneParts& parts, size_t in_flight, size_t batch) {
  return std::make_unique<CallLane<BatchMethod>>(parts, in_flight, batch);
}

}  // namespace credcache::load
