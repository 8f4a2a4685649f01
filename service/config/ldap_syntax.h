// The syntax of what an LDAP validator is told, as far as a configuration can be wrong about it.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace credcache {

// Stands for the name of who logs on, in filters and in user_dn.
inline constexpr absl::string_view kUsernamePlaceholder = "{username}";

// Whether `filter` is a search filter (RFC 4515: nesting, operators, attributes, escapes), with the placeholder for a
// user's name taken as a value. Blanks between parts are allowed, as libldap allows them.
bool IsLdapFilter(absl::string_view filter);

// Whether `name` is an attribute's name: a keyword or numbers with dots, perhaps with options (RFC 4512, section 2.5).
bool IsLdapAttribute(absl::string_view name);

struct LdapUrl {
  bool tls = false;       // ldaps
  bool loopback = false;  // only this machine is at the other end
  std::string url;        // scheme, host and port, the port always written out
};

// "ldap://host:389", "ldaps://[::1]"; without a port the scheme's own (389, 636). Nothing for another scheme, and for
// what names more than a server.
std::optional<LdapUrl> ParseLdapUrl(absl::string_view text);

}  // namespace credcache
