#include "backends/pam_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <cerrno>
#include <map>
#include <string>

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr PamIdentityRules kRules = {.realm = "corp.example"};

absl::StatusOr<Verdict> VerdictAt(PamPhase phase, int code, const std::string& user = "alice") {
  return VerdictOf({.number = 1, .phase = phase, .code = code, .user = user}, kRules);
}

// Each code that libpam knows, and what is made of it; those not named are errors.
void ExpectDecisions(PamPhase phase, const std::map<int, Decision>& expected, bool may_have_rejected) {
  for (int code = 0; code < _PAM_RETURN_VALUES; ++code) {
    const auto verdict = VerdictAt(phase, code);
    const auto row = expected.find(code);
    if (row != expected.end()) {
      ASSERT_TRUE(verdict.ok()) << code << ": " << verdict.status();
      EXPECT_EQ(verdict->decision, row->second) << code;
      EXPECT_EQ(verdict->identity.empty(), row->second != Decision::kAccepted) << code;
    } else {
      EXPECT_TRUE(absl::IsUnavailable(verdict.status())) << code;
      EXPECT_EQ(MayHaveRejected(verdict.status()), may_have_rejected) << code;
      EXPECT_TRUE(BlamesBackend(verdict.status())) << code;
    }
  }
}

TEST(PamVerdictTest, NothingIsDecidedBeforeAModuleHasRun) {
  ExpectDecisions(PamPhase::kStart, {}, /*may_have_rejected=*/false);
  EXPECT_THAT(std::string(VerdictAt(PamPhase::kStart, PAM_ABORT).status().message()),
              HasSubstr("the PAM stack cannot be started: Critical error"));
}

TEST(PamVerdictTest, AuthenticationTellsNoStateOfTheAccountButThatThePasswordMustBeChanged) {
  ExpectDecisions(PamPhase::kAuthenticate,
                  {{PAM_AUTH_ERR, Decision::kWrongPassword},
                   {PAM_USER_UNKNOWN, Decision::kUnknownUser},
                   {PAM_NEW_AUTHTOK_REQD, Decision::kPasswordExpired},
                   {PAM_MAXTRIES, Decision::kLocked},
                   {PAM_PERM_DENIED, Decision::kWrongPassword},
                   {PAM_ACCT_EXPIRED, Decision::kLocked},
                   {PAM_CRED_EXPIRED, Decision::kLocked},
                   {PAM_AUTHTOK_EXPIRED, Decision::kLocked}},
                  /*may_have_rejected=*/true);
}

TEST(PamVerdictTest, TheAccountPhaseTellsItsState) {
  ExpectDecisions(PamPhase::kAccount,
                  {{PAM_SUCCESS, Decision::kAccepted},
                   {PAM_NEW_AUTHTOK_REQD, Decision::kPasswordExpired},
                   {PAM_AUTHTOK_EXPIRED, Decision::kPasswordExpired},
                   {PAM_CRED_EXPIRED, Decision::kPasswordExpired},
                   {PAM_ACCT_EXPIRED, Decision::kPasswordExpired},
                   {PAM_PERM_DENIED, Decision::kAccountDisabled},
                   {PAM_AUTH_ERR, Decision::kAccountDisabled},
                   {PAM_USER_UNKNOWN, Decision::kAccountDisabled},
                   {PAM_MAXTRIES, Decision::kLocked}},
                  /*may_have_rejected=*/false);
}

TEST(PamVerdictTest, WhoCannotBeIdentifiedIsNotLetIn) {
  const auto verdict = VerdictAt(PamPhase::kIdentity, EIO);
  EXPECT_EQ(verdict.status().message(), "who the user is cannot be told: Input/output error");
  EXPECT_FALSE(MayHaveRejected(verdict.status()));
  EXPECT_TRUE(absl::IsUnavailable(VerdictAt(PamPhase::kIdentity, 0).status())) << "whatever the code";
  EXPECT_TRUE(absl::IsUnavailable(VerdictAt(PamPhase::kReady, 0).status()));
}

TEST(PamVerdictTest, AUserOfTheSystemHasItsNumberAndGroups) {
  const auto verdict = VerdictOf({.phase = PamPhase::kAccount,
                                  .code = PAM_SUCCESS,
                                  .user = "Alice",
                                  .uid = 1001,
                                  .groups = {"staff", "\xff", "two words"}},
                                 kRules);
  ASSERT_TRUE(verdict.ok());
  EXPECT_EQ(verdict->identity.username(), "alice");
  EXPECT_EQ(verdict->identity.subject(), "1001");
  EXPECT_THAT(verdict->identity.details().groups, ElementsAre("staff", "two words")) << "those that are text";
}

TEST(PamVerdictTest, OthersHaveTheirNameInTheRealm) {
  const auto verdict = VerdictAt(PamPhase::kAccount, PAM_SUCCESS, "Alice");
  ASSERT_TRUE(verdict.ok());
  EXPECT_EQ(verdict->identity.subject(), "corp.example/alice");
  EXPECT_TRUE(verdict->identity.details().groups.empty());
}

TEST(PamVerdictTest, ANameThatIsNoneIsOneAccountsTrouble) {
  for (const std::string& name : {std::string(), std::string(" alice"), std::string(257, 'a'), std::string("\xff")}) {
    const auto verdict = VerdictAt(PamPhase::kAccount, PAM_SUCCESS, name);
    EXPECT_TRUE(absl::IsUnavailable(verdict.status()));
    EXPECT_FALSE(MayHaveRejected(verdict.status()));
    EXPECT_FALSE(BlamesBackend(verdict.status()));
  }
}

}  // namespace
}  // namespace credcache
