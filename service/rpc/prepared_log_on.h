// A log-on, made ready before it is asked: what its message says, where it belongs, and what it meets first on its way
// from memory. Of several, some are made ready before the first is asked: none then waits for memory alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "credcache/v1/authenticate.pb.h"
#include "rpc/log_on.h"
#include "validator/realms.h"

namespace credcache {

// A view of the message, for one set of realms.
struct PreparedLogOn {
  PreparedLogOn(const v1::AuthenticateRequest& message, const Realms& realms);

  absl::StatusOr<LogOnRequest> request;
  absl::StatusOr<Realms::Routed> routed;  // an error where `request` is one
  uint64_t name_hash = 0;                 // LogOn::name_hash
};

// The log-ons of one message, in order. Not thread-safe.
class PreparedLogOns {
 public:
  using MessageAt = absl::FunctionRef<const v1::AuthenticateRequest&(size_t)>;

  // All that is given outlives it.
  PreparedLogOns(size_t count, MessageAt message_at, const Realms& realms);

  // The next one. Valid until the one after it is taken; there must be one.
  const PreparedLogOn& Take();

 private:
  // So many are ready, the one that is being asked among them.
  static constexpr size_t kAhead = 8;

  const size_t count_;
  const MessageAt message_at_;
  const Realms& realms_;
  size_t prepared_ = 0;
  size_t taken_ = 0;
  std::array<std::optional<PreparedLogOn>, kAhead> ready_;  // number i at i % kAhead
};

}  // namespace credcache
