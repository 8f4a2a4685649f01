// One log-on on its way through the server: what was asked, and what came of it.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/ip_address.h"
#include "base/protocol.h"
#include "base/secret.h"
#include "validator/realms.h"
#include "validator/validator.h"

namespace credcache {

// A log-on as a caller sends it, after every check that needs neither the realms nor the caller. A view of its message.
struct LogOnRequest {
  absl::string_view realm;
  absl::string_view username;  // not normalised yet
  SecretView password;         // may be empty
  Protocol protocol = Protocol::kOther;
  absl::string_view client_address;  // an IP address as it was written, or empty
  std::optional<IpAddress> address;  // the same
  absl::string_view audience;
  absl::string_view request_id;
  std::optional<absl::Duration> max_age;
};

struct LogOnAnswer {
  absl::StatusOr<Verdict> verdict;  // an error has a reason (status.h)
  // Of an answer that was waited for: keeps `realm`. One that is there at once has the realms of who asked.
  std::shared_ptr<const Realms> realms = {};
  const Realm* realm = nullptr;                // null: the request named none that there is
  MonotonicTime decided_at = MonotonicTime();  // of a verdict that was there at once
};

}  // namespace credcache
