// What the tests of LdapBackend against a real slapd have in common.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "backends/ldap_backend.h"
#include "backends/recording_reporter.h"
#include "backends/slapd.h"
#include "base/clock.h"

namespace credcache {

// LDIF of a user below ou=people, with `more` lines.
inline std::string Person(absl::string_view uid, absl::string_view password, absl::string_view more = "") {
  return absl::StrCat("dn: uid=", uid, ",ou=people,dc=corp,dc=example\nobjectClass: inetOrgPerson\nuid: ", uid,
                      "\ncn: ", uid, "\nsn: x\nuserPassword: ", password, "\n", more, "\n");
}

inline std::string Dn(absl::string_view uid) { return absl::StrCat("uid=", uid, ",ou=people,dc=corp,dc=example"); }

class LdapBackendTest : public ::testing::Test {
 protected:
  LdapBackendTest() { WriteFile(folder_ / "reader.secret", absl::StrCat(Slapd::kReaderPassword, "\n")); }

  LdapBackendOptions BySearch(const std::string& url) const {
    LdapBackendOptions options = Common(url);
    options.bind_dn = Slapd::kReader;
    options.bind_password_file = folder_ / "reader.secret";
    options.base = "ou=people,dc=corp,dc=example";
    options.filter = "(uid={username})";
    return options;
  }

  LdapBackendOptions Directly(const std::string& url) const {
    LdapBackendOptions options = Common(url);
    options.user_dn = "uid={username},ou=people,dc=corp,dc=example";
    return options;
  }

  LdapBackend& Start(LdapBackendOptions options) {
    backend_ = std::make_unique<LdapBackend>(std::move(options), clock_, randomness_, reporter_);
    return *backend_;
  }

  absl::StatusOr<Verdict> Ask(absl::string_view name, absl::string_view password, const Account* account = nullptr,
                              MonotonicTime deadline = MonotonicTime::InfiniteFuture()) {
    const Username username = *Username::Normalize(name, CaseRule::kFold);
    absl::StatusOr<Verdict> result;
    absl::Notification answered;
    backend_->Validate(
        {.username = username, .password = SecretView(password), .account = account, .deadline = deadline},
        [&](absl::StatusOr<Verdict> verdict) {
          result = std::move(verdict);
          answered.Notify();
        });
    answered.WaitForNotification();
    return result;
  }

  // As words, so that a failure reads well.
  std::string Decide(absl::string_view name, absl::string_view password) { return Words(Ask(name, password)); }

  static std::string Words(const absl::StatusOr<Verdict>& verdict) {
    if (!verdict.ok()) return verdict.status().ToString();
    switch (verdict->decision) {
      case Decision::kAccepted:
        return "accepted";
      case Decision::kUnknownUser:
        return "unknown user";
      case Decision::kWrongPassword:
        return "wrong password";
      case Decision::kLocked:
        return "locked";
      case Decision::kAccountDisabled:
        return "disabled";
      case Decision::kPasswordExpired:
        return "expired";
      case Decision::kThrottled:
        break;
    }
    return "?";
  }

  absl::StatusOr<std::optional<Account>> Resolve(absl::string_view name) {
    absl::StatusOr<std::optional<Account>> result;
    absl::Notification answered;
    backend_->Resolve({.name = *Username::Normalize(name, CaseRule::kFold)},
                      [&](absl::StatusOr<std::optional<Account>> account) {
                        result = std::move(account);
                        answered.Notify();
                      });
    answered.WaitForNotification();
    return result;
  }

  TemporaryFolder folder_;
  SystemClock clock_;
  SystemRandomness randomness_;
  RecordingReporter reporter_;
  std::unique_ptr<LdapBackend> backend_;

 private:
  static LdapBackendOptions Common(const std::string& url) {
    return {.urls = {url},
            .identity = {.realm = "corp.example", .username = "uid", .groups = "ou", .attributes = {"mail"}},
            .connections = 2,
            .timeout = absl::Seconds(2)};
  }
};

}  // namespace credcache
