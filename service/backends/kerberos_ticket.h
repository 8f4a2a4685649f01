// Whether a ticket is the real KDC's: only that one shares a key with our service.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "backends/kerberos_context.h"

namespace credcache {

// The keytab. UNAVAILABLE: it cannot be read, or has no key of `service`: then no password need be sent.
absl::StatusOr<KerberosKeytab> OpenKeytab(const KerberosContext& context, const std::string& file,
                                          krb5_principal service);

// OK only if all of this holds, so that what somebody else answered in the KDC's place (Zanarotti's attack) is refused:
//   - the ticket decrypts with the service's key, and names `user` and the session key that the password opened
//     (krb5_verify_init_creds with ap_req_nofail);
//   - it was given for a password, not for another ticket (the flag INITIAL), and within the last minutes: who has a
//     user's older ticket, of a service that shares our key, cannot pass it off as a log-on.
// Asks nobody. UNAVAILABLE, with what an operator should look at.
absl::Status VerifyTicket(const KerberosContext& context, krb5_keytab keytab, krb5_principal user,
                          krb5_principal service, krb5_creds& credentials);

}  // namespace credcache
