// One connection, and how log-ons travel on it: a call each, in batches, or on a stream. All is asynchronous: a lane
// puts operations into a completion queue, and whoever polls that hands each event back to it.
//
// Not thread-safe: the owner calls, and completes events, under one lock.
#pragma once

#include <grpcpp/completion_queue.h>
#include <grpcpp/support/status.h>

#include <cstddef>
#include <memory>

#include "absl/types/span.h"
#include "cli/connection.h"
#include "credcache/v1/authenticate.pb.h"
#include "load/request_writer.h"
#include "load/schedule.h"
#include "load/workload.h"

namespace credcache::load {

// A log-on under way. `begin` is the moment from which its latency counts.
struct Asked {
  LogOn log_on;
  Time begin;
};

// What the tags of the completion queue are.
class Event {
 public:
  virtual void Complete(bool ok, Time now) = 0;

 protected:
  ~Event() = default;
};

// Who hears of answers, inside Event::Complete. For each log-on that was sent comes one answer or error.
class LaneOwner {
 public:
  virtual void OnAnswer(const Asked& asked, const v1::AuthenticateResponse& response, Time now) = 0;
  virtual void OnError(const Asked& asked, const grpc::Status& status, Time now) = 0;
  // A message has come, with whatever answers.
  virtual void OnMessage() = 0;
  // The lane is of no more use.
  virtual void OnBroken(const grpc::Status& status) = 0;

 protected:
  ~LaneOwner() = default;
};

class Lane {
 public:
  virtual ~Lane() = default;

  // How many log-ons one message may bring now; 0 when there is no room for any.
  virtual size_t Room() const = 0;
  // Sends them in one message; not more than there is room for.
  virtual void Send(absl::Span<const Asked> log_ons) = 0;
  virtual size_t in_flight() const = 0;

  // Nothing more will be sent: ends when all is answered.
  virtual void Close() = 0;
  // Ends at once; what is under way is told to be in error.
  virtual void Cancel() = 0;
  // Nothing is left of it in the completion queue.
  virtual bool closed() const = 0;
};

// What a lane stands on; all of it outlives the lane.
struct LaneParts {
  const cli::Connection& connection;
  const RequestWriter& writer;
  grpc::CompletionQueue& queue;
  LaneOwner& owner;
};

// Tells the owner of one result of a batch or a stream.
void TellResult(const Asked& asked, const v1::AuthenticateResult& result, LaneOwner& owner, Time now);

// A call for each log-on, up to `in_flight` at once.
std::unique_ptr<Lane> NewUnaryLane(const LaneParts& parts, size_t in_flight);
// Up to `in_flight` calls at once, of `batch` log-ons each.
std::unique_ptr<Lane> NewBatchLane(const LaneParts& parts, size_t in_flight, size_t batch);
// One stream; up to `in_flight` log-ons unanswered, up to `batch` in a message.
std::unique_ptr<Lane> NewStreamLane(const LaneParts& parts, size_t in_flight, size_t batch);

}  // namespace credcache::load
