// What a KDC's answer means: RFC 4120 (section 7.5.9), as MIT's KDC and Active Directory use its codes.
#pragma once

#include <krb5/krb5.h>

#include <optional>

#include "validator/validator.h"

namespace credcache {

// Nothing: the answer is no verdict. kPasswordExpired: only if the password is right, which MIT's KDC says before it
// has looked at one.
std::optional<Decision> DecisionOf(krb5_error_code code);

// Whether an error is of one account (its keys, its policy) rather than of the KDC or of the configuration.
bool IsOfOneAccount(krb5_error_code code);

// Whether the conversation goes on after the KDC's error: it wants a proof, or the next step of one.
// `proof_sent`: the request that it answers had one already; then a demand for one is a refusal.
bool GoesOnAfter(krb5_error_code code, bool proof_sent);

}  // namespace credcache
