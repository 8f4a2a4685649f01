#include "backends/pam_verdict.h"

#include <security/pam_appl.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"

namespace credcache {
namespace {

struct Row {
  int code;
  PamPhase phase;
  Decision decision;
};

// All other codes are errors.
constexpr Row kRows[] = {
    {PAM_AUTH_ERR, PamPhase::kAuthenticate, Decision::kWrongPassword},
    // What libpam makes of a stack that ends as pam_faillock(8) has it, when the password was wrong.
    {PAM_PERM_DENIED, PamPhase::kAuthenticate, Decision::kWrongPassword},
    {PAM_USER_UNKNOWN, PamPhase::kAuthenticate, Decision::kUnknownUser},
    // A stack takes it for a success, by default; and the account phase has nothing against the user.
    {PAM_NEW_AUTHTOK_REQD, PamPhase::kAuthenticate, Decision::kPasswordExpired},
    // Refused whatever the password is, or before anybody has looked at it.
    {PAM_MAXTRIES, PamPhase::kAuthenticate, Decision::kLocked},
    {PAM_ACCT_EXPIRED, PamPhase::kAuthenticate, Decision::kLocked},
    {PAM_CRED_EXPIRED, PamPhase::kAuthenticate, Decision::kLocked},
    {PAM_AUTHTOK_EXPIRED, PamPhase::kAuthenticate, Decision::kLocked},

    {PAM_SUCCESS, PamPhase::kAccount, Decision::kAccepted},
    {PAM_NEW_AUTHTOK_REQD, PamPhase::kAccount, Decision::kPasswordExpired},
    {PAM_AUTHTOK_EXPIRED, PamPhase::kAccount, Decision::kPasswordExpired},
    {PAM_CRED_EXPIRED, PamPhase::kAccount, Decision::kPasswordExpired},
    {PAM_ACCT_EXPIRED, PamPhase::kAccount, Decision::kPasswordExpired},
    {PAM_PERM_DENIED, PamPhase::kAccount, Decision::kAccountDisabled},
    {PAM_AUTH_ERR, PamPhase::kAccount, Decision::kAccountDisabled},  // as pam_listfile and pam_nologin say it
    {PAM_USER_UNKNOWN, PamPhase::kAccount, Decision::kAccountDisabled},
    {PAM_MAXTRIES, PamPhase::kAccount, Decision::kLocked},
};

std::optional<Decision> DecisionOf(const PamAnswer& answer) {
  const auto* row = std::find_if(std::begin(kRows), std::end(kRows),
                                 [&answer](const Row& r) { return r.phase == answer.phase && r.code == answer.code; });
  if (row == std::end(kRows)) return std::nullopt;
  return row->decision;
}

absl::Status Undecided(const PamAnswer& answer) {
  // Linux-PAM's does not look at the handle.
  const char* text = pam_strerror(nullptr, answer.code);
  switch (answer.phase) {
    case PamPhase::kReady:
      break;
    case PamPhase::kStart:
      return WithoutRejection(absl::UnavailableError(absl::StrCat("the PAM stack cannot be started: ", text)));
    case PamPhase::kAuthenticate:
      return absl::UnavailableError(absl::StrCat("pam_authenticate: ", text));
    case PamPhase::kAccount:
      return WithoutRejection(absl::UnavailableError(absl::StrCat("pam_acct_mgmt: ", text)));
    case PamPhase::kIdentity:
      return WithoutRejection(
          absl::UnavailableError(absl::StrCat("who the user is cannot be told: ", std::strerror(answer.code))));
  }
  return absl::UnavailableError("the helper answers nothing");
}

absl::StatusOr<Identity> IdentityOf(const PamAnswer& answer, const PamIdentityRules& rules) {
  const auto name = Username::Normalize(answer.user, rules.case_rule);
  if (!name.ok()) {
    return absl::UnavailableError(absl::StrCat("the stack's PAM_USER is no username: ", name.status().message()));
  }
  const std::string subject =
      answer.uid.has_value() ? absl::StrCat(*answer.uid) : absl::StrCat(rules.realm, "/", name->view());
  IdentityDetails details;
  size_t size = subject.size();
  for (const std::string& group : answer.groups) {
    if (!IsUtf8(group)) continue;
    size += group.size();
    details.groups.push_back(group);
  }
  if (size > kMaxIdentitySize) return absl::UnavailableError(absl::StrCat("an identity of ", size, " bytes"));
  return Identity(name->view(), subject,
                  details.groups.empty() ? Shared<IdentityDetails>() : Shared<IdentityDetails>(std::move(details)));
}

}  // namespace

absl::StatusOr<Verdict> VerdictOf(const PamAnswer& answer, const PamIdentityRules& rules) {
  const std::optional<Decision> decision = DecisionOf(answer);
  if (!decision.has_value()) return Undecided(answer);
  if (*decision != Decision::kAccepted) return Verdict{.decision = *decision};
  auto identity = IdentityOf(answer, rules);
  if (!identity.ok()) return WithoutBlame(WithoutRejection(identity.status()));
  return Verdict{.decision = Decision::kAccepted, .identity = *std::move(identity)};
}

}  // namespace credcache
