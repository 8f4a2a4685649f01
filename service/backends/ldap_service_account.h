// Logs on to the directory as the service's own account (bind_dn).
#pragma once

#include "absl/status/status.h"
#include "backends/ldap_connection.h"
#include "backends/ldap_options.h"
#include "base/clock.h"

namespace credcache {

// With the password in the file as it is now; does nothing where there is no bind_dn. UNAVAILABLE: it could not ask, or
// the directory is in trouble. PERMISSION_DENIED: the directory refuses the account, and asking on and on would lock
// it.
absl::Status BindServiceAccount(LdapConnection& connection, const LdapBackendOptions& options, MonotonicTime deadline);

}  // namespace credcache
