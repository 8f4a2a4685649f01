// By libpam, with pam_debug, which answers as its service file says.
#include "backends/pam_stack.h"

#include <gtest/gtest.h>
#include <security/pam_appl.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace credcache {
namespace {

class PamStackTest : public ::testing::Test {
 protected:
  PamStackTest() {
    std::string name = (std::filesystem::temp_directory_path() / "credcache-pam-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~PamStackTest() override { std::filesystem::remove_all(folder_); }

  PamAnswer Run(const std::string& lines, const std::string& user = "nobody-of-that-name", bool system_users = false) {
    std::ofstream(folder_ / "test") << lines;
    PamQuestion question = {.number = 1, .name = user, .password = Secret(SecretView("s3cret"))};
    return RunPamStack({.service = "test", .config_folder = folder_.string(), .system_users = system_users}, question);
  }
  void Expect(const std::string& lines, PamPhase phase, int code) {
    const PamAnswer answer = Run(lines);
    EXPECT_EQ(answer.phase, phase) << lines;
    EXPECT_EQ(answer.code, code) << lines;
    EXPECT_EQ(answer.user.empty(), phase != PamPhase::kAccount || code != PAM_SUCCESS) << lines;
  }

  std::filesystem::path folder_;
};

TEST_F(PamStackTest, TellsHowFarItCame) {
  const std::string permit = "auth required pam_permit.so\n";
  Expect(permit + "account required pam_permit.so\n", PamPhase::kAccount, PAM_SUCCESS);
  Expect("auth required pam_deny.so\naccount required pam_permit.so\n", PamPhase::kAuthenticate, PAM_AUTH_ERR);
  Expect("auth required pam_debug.so auth=maxtries\naccount required pam_permit.so\n", PamPhase::kAuthenticate,
         PAM_MAXTRIES);
  Expect(permit + "account required pam_debug.so acct=acct_expired\n", PamPhase::kAccount, PAM_ACCT_EXPIRED);
  Expect(permit + "account required pam_debug.so acct=perm_denied\n", PamPhase::kAccount, PAM_PERM_DENIED);
}

TEST_F(PamStackTest, APasswordThatMustBeChangedIsToldUnlessTheAccountPhaseHasWorse) {
  const std::string change = "auth required pam_debug.so auth=new_authtok_reqd\n";
  Expect(change + "account required pam_permit.so\n", PamPhase::kAuthenticate, PAM_NEW_AUTHTOK_REQD);
  Expect(change + "account required pam_debug.so acct=perm_denied\n", PamPhase::kAccount, PAM_PERM_DENIED);
}

TEST_F(PamStackTest, AStackThatDecidesNothingLetsNobodyIn) {
  EXPECT_NE(Run("account required pam_permit.so\n").code, PAM_SUCCESS);
  EXPECT_NE(Run("auth required pam_permit.so\n").code, PAM_SUCCESS) << "there is no account phase";
  EXPECT_NE(Run("auth required pam_of_nobody.so\naccount required pam_permit.so\n").code, PAM_SUCCESS);
  EXPECT_NE(Run("").code, PAM_SUCCESS);
}

TEST_F(PamStackTest, ARejectionIsNotDelayedHere) {
  const absl::Time began = absl::Now();
  Expect("auth optional pam_faildelay.so delay=20000000\nauth required pam_deny.so\naccount required pam_permit.so\n",
         PamPhase::kAuthenticate, PAM_AUTH_ERR);
  EXPECT_LT(absl::Now() - began, absl::Seconds(10));
}

TEST_F(PamStackTest, AUserOfTheSystemIsLookedUpIfUsersAreTheSystems) {
  const std::string lines = "auth required pam_permit.so\naccount required pam_permit.so\n";
  const PamAnswer root = Run(lines, "root", /*system_users=*/true);
  EXPECT_EQ(root.user, "root");
  EXPECT_EQ(root.uid, 0U);
  EXPECT_NE(std::find(root.groups.begin(), root.groups.end(), "root"), root.groups.end());
  const PamAnswer not_asked = Run(lines, "root", /*system_users=*/false);
  EXPECT_EQ(not_asked.uid, std::nullopt);
  EXPECT_TRUE(not_asked.groups.empty());
  const PamAnswer nobody = Run(lines, "nobody-of-that-name", /*system_users=*/true);
  EXPECT_EQ(nobody.code, PAM_SUCCESS);
  EXPECT_EQ(nobody.uid, std::nullopt);
}

}  // namespace
}  // namespace credcache
