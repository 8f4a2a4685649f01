// How to ask a directory (api.md, section 2, `ldap`).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "backends/ldap_connection.h"
#include "backends/ldap_identity.h"
#include "base/limits.h"

namespace credcache {

// Either `base` and `filter` are set (search, then bind), or `user_dn` (bind at once; with a userPrincipalName also
// `base`, to read an identity).
struct LdapBackendOptions {
  std::vector<std::string> urls;  // in the order of preference; at least one
  LdapTls tls;
  std::string bind_dn;             // who searches; empty: nobody, that is anonymously
  std::string bind_password_file;  // read whenever a connection is opened; a newline at the end does not count
  std::string base;
  std::string filter;   // with {username}
  std::string user_dn;  // with {username}; a DN, or a userPrincipalName, whose entry is looked for below `base`
  // Groups are those below that hold the user, through other groups too (Active Directory); empty: `identity` says.
  std::string nested_groups_base;
  LdapIdentityRules identity;
  int connections = 16;                       // threads, each with a connection to search and one to bind users
  absl::Duration timeout = absl::Seconds(3);  // of one question, from when it was asked to its answer
  size_t max_queue = kMaxBackendQueue;
};

}  // namespace credcache
