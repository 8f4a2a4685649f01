#include "backends/kerberos_result.h"

#include <algorithm>
#include <array>
#include <utility>

namespace credcache {
namespace {

constexpr std::array<std::pair<krb5_error_code, Decision>, 8> kDecisions = {{
    {KRB5KDC_ERR_PREAUTH_FAILED, Decision::kWrongPassword},
    // The KDC's ticket, or our proof, cannot be decrypted: the key is another's. (Without pre-authentication libkrb5
    // finds that out itself.)
    {KRB5KRB_AP_ERR_BAD_INTEGRITY, Decision::kWrongPassword},
    {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, Decision::kUnknownUser},
    // Active Directory: the name is of another realm of the forest. We follow nobody there.
    {KRB5KDC_ERR_WRONG_REALM, Decision::kUnknownUser},
    // Locked or disabled, with nothing to tell which, and said before the password is looked at: so never `disabled`,
    // which is told only to who knows the password.
    {KRB5KDC_ERR_CLIENT_REVOKED, Decision::kLocked},
    // The account has expired, or is not valid yet; likewise.
    {KRB5KDC_ERR_NAME_EXP, Decision::kLocked},
    {KRB5KDC_ERR_CLIENT_NOTYET, Decision::kLocked},
    {KRB5KDC_ERR_KEY_EXP, Decision::kPasswordExpired},
}};

constexpr std::array<krb5_error_code, 8> kOfOneAccount = {
    KRB5KDC_ERR_NULL_KEY,            // it has no key
    KRB5KDC_ERR_ETYPE_NOSUPP,        // it has none of a kind that we take
    KRB5KDC_ERR_POLICY,              // it may not have this ticket
    KRB5KDC_ERR_MUST_USE_USER2USER,  // as above
    KRB5KDC_ERR_NEVER_VALID,         // it expires before a ticket would
    KRB5KDC_ERR_PRINCIPAL_NOT_UNIQUE,
    KRB5KDC_ERR_PADATA_TYPE_NOSUPP,  // it must prove itself in another way than by a password
    KRB5_PREAUTH_FAILED,             // likewise, as libkrb5 says it
};

}  // namespace

std::optional<Decision> DecisionOf(krb5_error_code code) {
  const auto* const found =
      std::find_if(kDecisions.begin(), kDecisions.end(), [code](const auto& row) { return row.first == code; });
  if (found == kDecisions.end()) return std::nullopt;
  return found->second;
}

bool IsOfOneAccount(krb5_error_code code) {
  return std::find(kOfOneAccount.begin(), kOfOneAccount.end(), code) != kOfOneAccount.end();
}

bool GoesOnAfter(krb5_error_code code, bool proof_sent) {
  return code == KRB5KDC_ERR_MORE_PREAUTH_DATA_REQUIRED || (code == KRB5KDC_ERR_PREAUTH_REQUIRED && !proof_sent);
}

}  // namespace credcache
