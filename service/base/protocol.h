// The protocols that people log on with, as front ends name them: a closed list, so that a label cannot grow without
// bound.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace credcache {

enum class Protocol : uint8_t {
  kOther,
  kPop3,
  kImap,
  kSmtp,
  kSieve,
  kNntp,
  kLdap,
  kHttp,
  kGrpc,
  kXmpp,
  kFtp,
  kSsh,
  kRadius,
  kDav,
  kPam,
};
inline constexpr int kProtocols = 15;

// The protocol of that name ("imap"), in any case; kOther for every other name, and for none.
Protocol ParseProtocol(absl::string_view name);
// "imap"; "other".
absl::string_view Name(Protocol protocol);

}  // namespace credcache
