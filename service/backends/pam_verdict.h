// What a PAM stack's answer says of a user (pam(3), pam_authenticate(3), pam_acct_mgmt(3)). Pure functions.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/pam_messages.h"
#include "base/names.h"
#include "validator/validator.h"

namespace credcache {

struct PamIdentityRules {
  absl::string_view realm;  // for the subject of who is no user of the system: REALM/USERNAME
  CaseRule case_rule = CaseRule::kFold;
};

// UNAVAILABLE: the stack could not answer, or says nothing that decides; the text is for an operator. With
// WithoutRejection where no module can have counted a wrong password, and WithoutBlame where it is one account's
// trouble.
//
// What a stack says before it has found the password right is never told as a state of the account: it would be told
// to who does not know the password.
absl::StatusOr<Verdict> VerdictOf(const PamAnswer& answer, const PamIdentityRules& rules);

}  // namespace credcache
