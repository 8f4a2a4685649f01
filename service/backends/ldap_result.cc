#include "backends/ldap_result.h"

#include <ldap.h>

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

// The Windows error in "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1".
// Nothing when the text has another form, as every other directory's has.
std::optional<Decision> ActiveDirectoryDecision(absl::string_view diagnostic) {
  struct Row {
    absl::string_view code;
    Decision decision;
  };
  static constexpr std::array<Row, 9> kRows = {{
      {"525", Decision::kUnknownUser},
      {"52e", Decision::kWrongPassword},
      {"530", Decision::kAccountDisabled},  // not at this time of day
      {"531", Decision::kAccountDisabled},  // not from this workstation
      {"532", Decision::kPasswordExpired},
      {"533", Decision::kAccountDisabled},
      {"701", Decision::kPasswordExpired},  // the account has expired
      {"773", Decision::kPasswordExpired},  // the password must be changed first
      {"775", Decision::kLocked},
  }};
  constexpr absl::string_view kMark = "AcceptSecurityContext error, data ";
  const size_t at = diagnostic.find(kMark);
  if (at == absl::string_view::npos) return std::nullopt;
  absl::string_view code = diagnostic.substr(at + kMark.size());
  code = code.substr(0, code.find_first_of(", "));
  const auto* row =
      std::find_if(kRows.begin(), kRows.end(), [code](const Row& r) { return absl::EqualsIgnoreCase(r.code, code); });
  if (row == kRows.end()) return std::nullopt;
  return row->decision;
}

absl::Status Unavailable(const BindAnswer& answer, absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", ldap_err2string(answer.code),
                                             answer.diagnostic.empty() ? "" : " (", answer.diagnostic,
                                             answer.diagnostic.empty() ? "" : ")"));
}

Decision AcceptedUnlessPolicyObjects(PolicyError policy) {
  switch (policy) {
    case PolicyError::kPasswordExpired:
    case PolicyError::kChangeAfterReset:
      return Decision::kPasswordExpired;
    case PolicyError::kAccountLocked:
      return Decision::kLocked;
    case PolicyError::kNone:
    case PolicyError::kOther:
      break;
  }
  return Decision::kAccepted;
}

Decision InvalidCredentials(const BindAnswer& answer) {
  switch (answer.policy) {
    case PolicyError::kAccountLocked:
      return Decision::kLocked;
    case PolicyError::kPasswordExpired:
    case PolicyError::kChangeAfterReset:
      // slapd's ppolicy looks at the age only after the password was found right.
      return Decision::kPasswordExpired;
    case PolicyError::kNone:
    case PolicyError::kOther:
      break;
  }
  return ActiveDirectoryDecision(answer.diagnostic).value_or(Decision::kWrongPassword);
}

}  // namespace

absl::StatusOr<Decision> DecisionOf(const BindAnswer& answer) {
  switch (answer.code) {
    case LDAP_SUCCESS:
      return AcceptedUnlessPolicyObjects(answer.policy);
    case LDAP_INVALID_CREDENTIALS:
      return InvalidCredentials(answer);
    case LDAP_NO_SUCH_OBJECT:
      return Decision::kUnknownUser;
    case LDAP_INAPPROPRIATE_AUTH:
      return Decision::kWrongPassword;  // the entry has no password
    case LDAP_UNWILLING_TO_PERFORM:
      // Likewise, but slapd says it too while an operator has closed the database.
      if (absl::StrContains(answer.diagnostic, "restricted") || absl::StrContains(answer.diagnostic, "shut")) {
        return Unavailable(answer, "the directory takes no binds at present");
      }
      return Decision::kWrongPassword;
    case LDAP_CONSTRAINT_VIOLATION:
      return Decision::kLocked;  // the 389 Directory Server and its kin: too many wrong passwords
    case LDAP_STRONG_AUTH_REQUIRED:
    case LDAP_CONFIDENTIALITY_REQUIRED:
      return Unavailable(answer, "the directory takes passwords only over TLS (ldaps:// or start_tls)");
    case LDAP_INVALID_DN_SYNTAX:
      return Unavailable(answer, "user_dn makes no distinguished name that the directory takes");
    case LDAP_REFERRAL:
      return Unavailable(answer, "the user's entry is in another directory, and referrals are not followed");
    case LDAP_AUTH_METHOD_NOT_SUPPORTED:
    case LDAP_INSUFFICIENT_ACCESS:
      return Unavailable(answer, "the directory's configuration forbids simple binds");
    default:
      return Unavailable(answer, "the directory could not check the password");
  }
}

bool IsServerTrouble(int code) {
  return code == LDAP_BUSY || code == LDAP_UNAVAILABLE || code == LDAP_OPERATIONS_ERROR || code == LDAP_OTHER;
}

}  // namespace credcache
