#include "rpc/prepared_log_on.h"

#include "rpc/convert.h"
#include "rpc/status.h"

namespace credcache {
namespace {

absl::StatusOr<Realms::Routed> Route(const absl::StatusOr<LogOnRequest>& request, const Realms& realms) {
  if (!request.ok()) return request.status();
  absl::StatusOr<Realms::Routed> routed = realms.Route(request->realm, request->username);
  if (!routed.ok()) return MakeFieldError("password.username", routed.status().message());
  return routed;
}

}  // namespace

PreparedLogOn::PreparedLogOn(const v1::AuthenticateRequest& message, const Realms& realms)
    : request(FromProto(message)), routed(Route(request, realms)) {
  if (routed.ok() && routed->realm != nullptr) name_hash = routed->realm->validator->Expect(routed->username);
}

PreparedLogOns::PreparedLogOns(size_t count, MessageAt message_at, const Realms& realms)
    : count_(count), message_at_(message_at), realms_(realms) {}

const PreparedLogOn& PreparedLogOns::Take() {
  while (prepared_ < count_ && prepared_ < taken_ + kAhead) {
    ready_[prepared_ % kAhead].emplace(message_at_(prepared_), realms_);
    ++prepared_;
  }
  return *ready_[taken_++ % kAhead];
}

}  // namespace credcache
