// How to ask a plug-in (api.md, section 2, `remote`).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "base/limits.h"
#include "base/names.h"

namespace credcache {

// An identity of the largest size, and room for what frames it.
inline constexpr int kMaxRemoteMessageSize = 1 << 20;

// PEM files, watched.
struct RemoteTls {
  std::string ca;           // empty: the system's
  std::string certificate;  // empty: none is shown
  std::string private_key;
};

struct RemoteBackendOptions {
  std::string address;           // unix:ABSOLUTE_PATH, or host:port
  std::optional<RemoteTls> tls;  // of host:port; the certificate must be the host's
  std::string realm;             // told in requests, and for subjects: REALM/USERNAME
  CaseRule case_rule = CaseRule::kFold;
  absl::Duration timeout = absl::Seconds(3);  // of one question, connecting included
  size_t max_in_flight = kMaxBackendQueue;    // calls under way; more are refused
};

}  // namespace credcache
