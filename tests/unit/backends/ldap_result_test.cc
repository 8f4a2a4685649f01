#include "backends/ldap_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ldap.h>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

using ::testing::HasSubstr;

BindAnswer ActiveDirectory(absl::string_view code) {
  return {.code = LDAP_INVALID_CREDENTIALS,
          .diagnostic = absl::StrCat("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data ",
                                     code, ", v1db1")};
}

Decision Decide(const BindAnswer& answer) {
  const auto decision = DecisionOf(answer);
  EXPECT_TRUE(decision.ok()) << decision.status();
  return decision.value_or(Decision::kAccepted);
}

TEST(LdapResultTest, ReadsResultCodes) {
  EXPECT_EQ(Decide({.code = LDAP_SUCCESS}), Decision::kAccepted);
  EXPECT_EQ(Decide({.code = LDAP_INVALID_CREDENTIALS}), Decision::kWrongPassword);
  EXPECT_EQ(Decide({.code = LDAP_NO_SUCH_OBJECT}), Decision::kUnknownUser);
  EXPECT_EQ(Decide({.code = LDAP_INAPPROPRIATE_AUTH}), Decision::kWrongPassword);
  EXPECT_EQ(Decide({.code = LDAP_UNWILLING_TO_PERFORM}), Decision::kWrongPassword);
  EXPECT_EQ(Decide({.code = LDAP_CONSTRAINT_VIOLATION, .diagnostic = "Exceed password retry limit."}),
            Decision::kLocked);
}

TEST(LdapResultTest, WhatSaysNothingOfThePasswordIsAnError) {
  for (const int code : {LDAP_BUSY, LDAP_UNAVAILABLE, LDAP_OPERATIONS_ERROR, LDAP_PROTOCOL_ERROR, LDAP_OTHER,
                         LDAP_STRONG_AUTH_REQUIRED, LDAP_CONFIDENTIALITY_REQUIRED, LDAP_INVALID_DN_SYNTAX,
                         LDAP_REFERRAL, LDAP_AUTH_METHOD_NOT_SUPPORTED, LDAP_INSUFFICIENT_ACCESS,
                         LDAP_TIMELIMIT_EXCEEDED, LDAP_ADMINLIMIT_EXCEEDED, LDAP_SASL_BIND_IN_PROGRESS, 4242}) {
    EXPECT_EQ(DecisionOf({.code = code}).status().code(), absl::StatusCode::kUnavailable) << code;
  }
  EXPECT_EQ(DecisionOf({.code = LDAP_UNWILLING_TO_PERFORM, .diagnostic = "operation restricted"}).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_THAT(DecisionOf({.code = LDAP_CONFIDENTIALITY_REQUIRED, .diagnostic = "TLS first"}).status().message(),
              HasSubstr("only over TLS (ldaps:// or start_tls): Confidentiality required (TLS first)"));
}

TEST(LdapResultTest, TellsActiveDirectorysSubCodesApart) {
  EXPECT_EQ(Decide(ActiveDirectory("525")), Decision::kUnknownUser);
  EXPECT_EQ(Decide(ActiveDirectory("52e")), Decision::kWrongPassword);
  EXPECT_EQ(Decide(ActiveDirectory("52E")), Decision::kWrongPassword);
  EXPECT_EQ(Decide(ActiveDirectory("530")), Decision::kAccountDisabled);
  EXPECT_EQ(Decide(ActiveDirectory("531")), Decision::kAccountDisabled);
  EXPECT_EQ(Decide(ActiveDirectory("532")), Decision::kPasswordExpired);
  EXPECT_EQ(Decide(ActiveDirectory("533")), Decision::kAccountDisabled);
  EXPECT_EQ(Decide(ActiveDirectory("701")), Decision::kPasswordExpired);
  EXPECT_EQ(Decide(ActiveDirectory("773")), Decision::kPasswordExpired);
  EXPECT_EQ(Decide(ActiveDirectory("775")), Decision::kLocked);
}

TEST(LdapResultTest, TakesNoOtherTextForASubCode) {
  EXPECT_EQ(Decide(ActiveDirectory("5330")), Decision::kWrongPassword);
  EXPECT_EQ(Decide(ActiveDirectory("")), Decision::kWrongPassword);
  EXPECT_EQ(Decide({.code = LDAP_INVALID_CREDENTIALS, .diagnostic = "data 533"}), Decision::kWrongPassword);
  EXPECT_EQ(Decide({.code = LDAP_INVALID_CREDENTIALS, .diagnostic = "AcceptSecurityContext error, data 533"}),
            Decision::kAccountDisabled);
  EXPECT_EQ(Decide({.code = LDAP_INVALID_CREDENTIALS, .diagnostic = "AcceptSecurityContext error, data"}),
            Decision::kWrongPassword);
}

TEST(LdapResultTest, ReadsThePasswordPolicyControl) {
  EXPECT_EQ(Decide({.code = LDAP_INVALID_CREDENTIALS, .policy = PolicyError::kAccountLocked}), Decision::kLocked);
  EXPECT_EQ(Decide({.code = LDAP_INVALID_CREDENTIALS, .policy = PolicyError::kPasswordExpired}),
            Decision::kPasswordExpired);
  EXPECT_EQ(Decide({.code = LDAP_INVALID_CREDENTIALS, .policy = PolicyError::kOther}), Decision::kWrongPassword);
  EXPECT_EQ(Decide({.code = LDAP_SUCCESS, .policy = PolicyError::kChangeAfterReset}), Decision::kPasswordExpired);
  EXPECT_EQ(Decide({.code = LDAP_SUCCESS, .policy = PolicyError::kAccountLocked}), Decision::kLocked);
  EXPECT_EQ(Decide({.code = LDAP_SUCCESS, .policy = PolicyError::kOther}), Decision::kAccepted);
}

}  // namespace
}  // namespace credcache
