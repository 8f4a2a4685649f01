// One AuthenticateStream.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "credcache/v1/authenticate.pb.h"
#include "grpcpp/alarm.h"
#include "rpc/calls.h"
#include "rpc/prepared_log_on.h"
#include "rpc/result_writer.h"

namespace credcache {

// Reads messages of numbered log-ons, and writes results as they are ready: those that are ready together, in one
// message. Reads no further while StreamLimits::max_unanswered requests are unanswered or unsent. Ends
//   with OK when the client has closed its side, or at a drain, or at StreamLimits::max_age, and all that was read is
//   answered;
//   with INVALID_ARGUMENT for a message that is none, UNAUTHENTICATED when a reload has taken the caller away, and
//   RESOURCE_EXHAUSTED when a write has not moved for StreamLimits::write_stall.
//
// Thread-safe: gRPC's threads, validators' threads and alarms come at once. Lives until gRPC has let go of it (OnDone)
// and every answer under way has arrived.
class StreamCall final : public ByteStreamReactor,
                         public DrainableStream,
                         public std::enable_shared_from_this<StreamCall> {
 public:
  StreamCall(const RpcParts& parts, const Listener& listener, grpc::CallbackServerContext* context, CallTimer timer,
             IdentifiedCaller caller);

  // After the constructor: begins to read.
  void Start();
  void BeginDrain() override;

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // The reading side; one thread at a time.
  absl::Status Process();
  absl::Status CheckCaller();
  // What there is to say of a request at once. `now`: the moment, which moves on when a decision has been timed.
  std::optional<LogOnAnswer> Begin(const v1::NumberedRequest& numbered, const PreparedLogOn& log_on,
                                   const std::shared_ptr<const Realms>& realms, MonotonicTime received,
                                   MonotonicTime& now);

  void Arrived(uint64_t key, const LogOnAnswer& answer);
  // Results that are to be written: one, or those of a message together.
  void Put(uint64_t id, const LogOnAnswer& answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Put(ResultWriter results, size_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What is to be done next, now that something has changed: write, read on, or end.
  void Advance() ABSL_LOCKS_EXCLUDED(mutex_);
  void End(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  bool Closing() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return half_closed_ || draining_; }

  void ArmAlarm(MonotonicTime time) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnAlarm(uint64_t generation);
  void ExpireRequests(MonotonicTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const RpcParts& parts_;
  grpc::CallbackServerContext* const context_;
  const CallTimer timer_;
  const MonotonicTime call_deadline_;
  const MonotonicTime ends_at_;  // StreamLimits::max_age
  const CallerEvidence evidence_;
  IdentifiedCaller caller_;        // the reading side's
  v1::NumberedResult result_;      // the reading side's; keeps its memory from one result to the next
  grpc::ByteBuffer read_buffer_;   // gRPC's while reading_, then the reading side's
  grpc::ByteBuffer write_buffer_;  // gRPC's while writing_

  absl::Mutex mutex_;
  std::shared_ptr<StreamCall> self_;  // gRPC's share

  struct Pending {
    uint64_t id;
    MonotonicTime deadline;
    InFlight::Permit permit;
  };
  absl::flat_hash_map<uint64_t, Pending> pending_ ABSL_GUARDED_BY(mutex_);  // by a key of ours: ids may repeat
  absl::btree_set<std::pair<MonotonicTime, uint64_t>> deadlines_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_key_ ABSL_GUARDED_BY(mutex_) = 0;

  // A message of results that waits to be written.
  struct Ready {
    ResultWriter results;
    size_t count = 0;
  };
  std::deque<Ready> ready_ ABSL_GUARDED_BY(mutex_);
  size_t unsent_ ABSL_GUARDED_BY(mutex_) = 0;  // results in ready_ and in the message being written
  size_t writing_results_ ABSL_GUARDED_BY(mutex_) = 0;

  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool processing_ ABSL_GUARDED_BY(mutex_) = false;  // a message's requests are being begun: hold what is ready
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  MonotonicTime write_began_ ABSL_GUARDED_BY(mutex_);

  std::unique_ptr<grpc::Alarm> alarm_ ABSL_GUARDED_BY(mutex_);
  MonotonicTime alarm_time_ ABSL_GUARDED_BY(mutex_) = MonotonicTime::InfiniteFuture();
  uint64_t alarm_generation_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace credcache
