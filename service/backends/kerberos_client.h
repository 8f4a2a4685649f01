// A user's conversation with a realm's KDCs: a name and a password for a ticket (RFC 4120, section 3.1).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "backends/kerberos_context.h"
#include "backends/kerberos_kdcs.h"
#include "base/clock.h"
#include "base/secret.h"

namespace credcache {

// A user's principal, or a service's ("host/mail.corp.example"), of `realm`. UNAVAILABLE: libkrb5 refuses it.
absl::StatusOr<KerberosPrincipal> UserPrincipal(const KerberosContext& context, const std::string& realm,
                                                absl::string_view name);
absl::StatusOr<KerberosPrincipal> ServicePrincipal(const KerberosContext& context, const std::string& realm,
                                                   const std::string& service);

struct KdcReply {
  krb5_error_code code = 0;         // what the KDC answered; 0: a ticket, which may be anybody's forgery
  std::string text;                 // the same in words, as SafeText
  KerberosCredentials credentials;  // of a ticket
};

// Asks for tickets. For one thread at a time. The message that proves the password is sent once for each Ask, and after
// it nothing that could count as another wrong one, whatever libkrb5 would try next.
class KerberosClient {
 public:
  // All must outlive it.
  KerberosClient(const KerberosContext& context, KnownKdcs& kdcs, Clock& clock, absl::Duration timeout)
      : context_(context), kdcs_(kdcs), clock_(clock), timeout_(timeout) {}

  // An initial ticket for `service`, straight from the password: no ticket-granting one in between, so that one answer
  // both shows the password and can be verified with the service's key. Not to be forwarded or renewed; kept in memory
  // alone. `proof_sent`: set where a KDC may have counted a wrong password. UNAVAILABLE: no KDC answered.
  absl::StatusOr<KdcReply> Ask(krb5_principal user, const std::string& service, const Secret& password,
                               MonotonicTime deadline, bool* proof_sent);

  // The first message of a conversation, which proves nothing and counts as nothing: to see whether a KDC answers.
  absl::StatusOr<std::string> FirstRequest(krb5_principal user, const std::string& service);

 private:
  struct Conversation;

  absl::StatusOr<Conversation> Begin(krb5_principal user, const std::string& service, const Secret& password);
  // 0: it is not an error.
  krb5_error_code ErrorIn(const std::string& answer, std::string* text) const;
  absl::Status Trouble(absl::string_view doing, krb5_error_code code) const;

  const KerberosContext& context_;
  KnownKdcs& kdcs_;
  Clock& clock_;
  const absl::Duration timeout_;
};

}  // namespace credcache
