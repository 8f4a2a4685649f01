#include "backends/kerberos_result.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace credcache {
namespace {

TEST(KerberosResultTest, TheKdcsVerdicts) {
  EXPECT_EQ(DecisionOf(KRB5KDC_ERR_PREAUTH_FAILED), Decision::kWrongPassword);
  EXPECT_EQ(DecisionOf(KRB5KRB_AP_ERR_BAD_INTEGRITY), Decision::kWrongPassword);
  EXPECT_EQ(DecisionOf(KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN), Decision::kUnknownUser);
  EXPECT_EQ(DecisionOf(KRB5KDC_ERR_WRONG_REALM), Decision::kUnknownUser);
  EXPECT_EQ(DecisionOf(KRB5KDC_ERR_CLIENT_REVOKED), Decision::kLocked);
  EXPECT_EQ(DecisionOf(KRB5KDC_ERR_NAME_EXP), Decision::kLocked);
  EXPECT_EQ(DecisionOf(KRB5KDC_ERR_CLIENT_NOTYET), Decision::kLocked);
  EXPECT_EQ(DecisionOf(KRB5KDC_ERR_KEY_EXP), Decision::kPasswordExpired);
}

// Whatever a KDC says, or libkrb5 of it: only a ticket that is verified lets somebody in.
TEST(KerberosResultTest, NoErrorIsAnAcceptance) {
  int verdicts = 0;
  for (krb5_error_code code = KRB5KDC_ERR_NONE; code < KRB5KDC_ERR_NONE + 256; ++code) {
    const auto decision = DecisionOf(code);
    EXPECT_NE(decision, Decision::kAccepted) << code;
    EXPECT_NE(decision, Decision::kAccountDisabled) << code;
    if (decision.has_value()) ++verdicts;
  }
  EXPECT_EQ(verdicts, 8);
  EXPECT_EQ(DecisionOf(0), std::nullopt);
}

TEST(KerberosResultTest, WhatIsNoVerdict) {
  for (const krb5_error_code code :
       {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, KRB5KDC_ERR_SVC_UNAVAILABLE, KRB5KRB_AP_ERR_SKEW, KRB5_KDCREP_SKEW,
        KRB5_KDCREP_MODIFIED, KRB5KRB_ERR_GENERIC, KRB5KRB_AP_ERR_BADKEYVER, KRB5_KT_NOTFOUND, KRB5_KDC_UNREACH}) {
    EXPECT_EQ(DecisionOf(code), std::nullopt) << code;
    EXPECT_FALSE(IsOfOneAccount(code)) << code;
  }
  for (const krb5_error_code code : {KRB5KDC_ERR_ETYPE_NOSUPP, KRB5KDC_ERR_POLICY, KRB5_PREAUTH_FAILED}) {
    EXPECT_EQ(DecisionOf(code), std::nullopt) << code;
    EXPECT_TRUE(IsOfOneAccount(code)) << code;
  }
}

TEST(KerberosResultTest, AProofIsAskedForOnce) {
  EXPECT_TRUE(GoesOnAfter(KRB5KDC_ERR_PREAUTH_REQUIRED, /*proof_sent=*/false));
  EXPECT_FALSE(GoesOnAfter(KRB5KDC_ERR_PREAUTH_REQUIRED, /*proof_sent=*/true));
  EXPECT_TRUE(GoesOnAfter(KRB5KDC_ERR_MORE_PREAUTH_DATA_REQUIRED, /*proof_sent=*/true));
  EXPECT_FALSE(GoesOnAfter(KRB5KDC_ERR_PREAUTH_FAILED, /*proof_sent=*/true));
  EXPECT_FALSE(GoesOnAfter(KRB5KDC_ERR_PREAUTH_EXPIRED, /*proof_sent=*/true));
}

}  // namespace
}  // namespace credcache
