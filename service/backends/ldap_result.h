// What a directory's answer to a bind says of the password: result codes (RFC 4511), Active Directory's sub-codes in
// the diagnostic message, and the password policy response control (draft-behera-ldap-password-policy). A pure
// function.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "validator/validator.h"

namespace credcache {

// The `error` of a password policy response control; those that a bind can bring.
enum class PolicyError : uint8_t { kNone, kPasswordExpired, kAccountLocked, kChangeAfterReset, kOther };

struct BindAnswer {
  int code = 0;  // LDAP_SUCCESS, LDAP_INVALID_CREDENTIALS, ...
  std::string diagnostic;
  PolicyError policy = PolicyError::kNone;
};

// UNAVAILABLE, with a text that names what is wrong, where the answer says nothing of the password: the directory is
// busy or misconfigured.
//
// Nothing that the directory says of an account comes out unless the password was right: kAccountDisabled and
// kPasswordExpired rest on answers that directories give only then (Active Directory's 532, 533, 701, 773, 530, 531;
// slapd's passwordExpired and changeAfterReset). kLocked may come either way, and is a rejection to callers.
absl::StatusOr<Decision> DecisionOf(const BindAnswer& answer);

// Whether the answer speaks of the server's own state, so that another server may do better.
bool IsServerTrouble(int code);

}  // namespace credcache
