// The audit log: who logged on, from where, through which front end, and what came of it. All audit events are here.
//
//   {"ts":"2026-11-22T09:00:00.000000Z","log":"audit","level":"info","kind":"authentication","msg":"rejected", …}
//
// No event has a field where a password, a digest or a token could go. Texts from outside are escaped, also where they
// are not UTF-8, and cut off at kMaxAuditText bytes. Events are never summed up; when the output cannot keep up, the
// oldest are dropped, and an event says how many.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "audit/log_output.h"
#include "base/clock.h"
#include "base/outcome.h"

namespace credcache {

inline constexpr size_t kMaxAuditText = 1024;

// Why a decision was taken: more than callers are told.
enum class AuditReason : uint8_t {
  kOk,
  kWrongPassword,  // from the cache: one known to be wrong, or of a user known not to exist
  kUnknownUser,
  kLocked,
  kDisabled,
  kExpired,
  kEmptyPassword,
  kUnknownRealm,
  kThrottledAccount,  // and the others: ThrottleReason
  kThrottledKnownAddress,
  kThrottledAddress,
  kThrottledBudget,
};
inline constexpr int kAuditReasons = 12;

// "ok", "wrong_password".
absl::string_view Name(AuditReason reason);

// A decision: kind "authentication". Views need to last for the call only; empty texts are left out of the line, but
// for the request id: a caller that gives none gets one.
struct AuthenticationEvent {
  absl::string_view realm;
  absl::string_view username;
  absl::string_view client_address;  // of the person's machine, as the front end says
  absl::string_view caller;          // the front end's name in the configuration
  absl::string_view protocol;
  absl::string_view request_id;
  Outcome outcome = Outcome::kRejected;
  AuditReason reason = AuditReason::kWrongPassword;
  Source source = Source::kNone;
  absl::Duration duration;
  absl::Time validated_at = absl::InfinitePast();  // left out when infinite
};

// Something was made to be forgotten: kind "invalidation".
struct InvalidationEvent {
  absl::string_view target;  // "user", "session", "realm", "all"
  absl::string_view origin;  // "caller", "feed", "replica", "reload"
  absl::string_view realm;
  absl::string_view username;
  absl::string_view caller;
  absl::string_view reason;  // the caller's words
  absl::string_view request_id;
  absl::string_view status = "OK";  // gRPC's word for what the caller was told
  uint64_t entries_removed = 0;
  uint64_t revision = 0;
};

// The process: kinds "start", "reload", "stop".
struct StartEvent {
  absl::string_view version;
  absl::string_view grpc_address;
  absl::string_view admin_address;
  absl::string_view config_file;
};
struct ReloadEvent {
  absl::string_view config_file;
  bool applied = true;                     // else all stays as it was
  std::vector<std::string> errors;         // why not
  std::vector<std::string> needs_restart;  // keys that changed and wait for one
};
struct StopEvent {
  absl::string_view reason;  // "SIGTERM"
};

struct AuditOptions {
  bool hits = false;         // also log answers from the cache
  size_t queue_size = 8192;  // events waiting to be written; then the oldest is dropped
};

// Thread-safe. No call waits for the output. The clock must outlive it.
class AuditLog {
 public:
  AuditLog(AuditOptions options, Clock& clock, std::shared_ptr<LogOutput> output);
  // Writes all that waits.
  ~AuditLog();

  // Answers from the cache (Source::kCache) only if `hits` is on; whoever must spend on an event asks Wants first.
  bool Wants(Source source) const { return source != Source::kCache || hits_.load(std::memory_order_relaxed); }
  void Record(const AuthenticationEvent& event);
  void Record(const InvalidationEvent& event);
  void Record(const StartEvent& event);
  void Record(const ReloadEvent& event);
  void Record(const StopEvent& event);

  // Holds from the next event on.
  void SetHits(bool hits) { hits_.store(hits, std::memory_order_relaxed); }

  // To be called about once a second: an event of kind "audit_dropped" if some were, since the last time.
  void Tick();

 private:
  // The caller's, or one made here, unique among the replicas' with all but certainty.
  std::string RequestId(absl::string_view given);

  Clock& clock_;
  const uint32_t instance_;
  std::atomic<uint64_t> next_request_{1};
  std::atomic<bool> hits_;
  LineWriter writer_;
  absl::Mutex mutex_;
  uint64_t dropped_told_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace credcache
