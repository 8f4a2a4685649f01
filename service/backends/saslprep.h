#pragma once

#include "absl/status/statusor.h"
#include "base/secret.h"

namespace credcache {

// A password in the form in which SCRAM hashes it: SASLprep (RFC 4013) for stored strings. One that SASLprep refuses
// (not UTF-8, a control character, one that Unicode 3.2 did not have) stays as it is, as PostgreSQL has it.
// UNAVAILABLE: out of memory.
//
// ASCII stays as it is and is copied nowhere but into the result. What is not passes through libidn, which frees its
// working copies without wiping them.
absl::StatusOr<Secret> SaslPrep(SecretView password);

}  // namespace credcache
