// What a directory says of itself: its root DSE (RFC 4512, section 5.1).
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/ldap_connection.h"
#include "base/clock.h"

namespace credcache {

// What matches every entry.
inline constexpr const char* kAnyEntry = "(objectClass=*)";

// The search for these attributes of the root DSE, which every server answers to anybody.
LdapSearch RootDse(std::vector<std::string> attributes);

struct LdapRoot {
  std::string url;  // the server's
  std::vector<std::string> controls;
  std::vector<std::string> contexts;

  bool Offers(absl::string_view control) const;
  // The naming context that holds `dn`; `dn` itself where none is known to.
  std::string ContextOf(const std::string& dn) const;
};

// UNAVAILABLE: it did not say.
absl::StatusOr<LdapRoot> ReadRoot(LdapConnection& connection, const std::string& url, MonotonicTime deadline);

}  // namespace credcache
