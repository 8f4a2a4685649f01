#include "base/protocol.h"

#include <array>
#include <cstddef>

#include "absl/strings/match.h"

namespace credcache {
namespace {

constexpr std::array<absl::string_view, kProtocols> kNames = {"other", "pop3", "imap",   "smtp", "sieve",
                                                              "nntp",  "ldap", "http",   "grpc", "xmpp",
                                                              "ftp",   "ssh",  "radius", "dav",  "pam"};

}  // namespace

Protocol ParseProtocol(absl::string_view name) {
  for (size_t i = 1; i < kNames.size(); ++i) {
    if (absl::EqualsIgnoreCase(name, kNames[i])) return static_cast<Protocol>(i);
  }
  return Protocol::kOther;
}

absl::string_view Name(Protocol protocol) { return kNames[static_cast<size_t>(protocol)]; }

}  // namespace credcache
