#include "mail_day/directory.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace credcache::mail_day {

void Directory::Search(const Username& name, Validator::ResolveDone done) {
  ++searches_;
  agenda_.After(latency_.search, [this, name, done = std::move(done)]() mutable {
    const int32_t user = UserNumber(name.view());
    if (user < 0 || static_cast<size_t>(user) >= versions_.size()) return done(std::nullopt);
    done(Account{.name = name, .subject = absl::StrCat("entry-", user), .locator = std::string(name.view())});
  });
}

void Directory::Bind(const Username& name, SecretView password, Validator::ValidateDone done) {
  ++binds_;
  ++binds_by_second_[std::min(static_cast<size_t>(agenda_.now() / kSecond), binds_by_second_.size() - 1)];
  const Moment way_back = latency_.bind - latency_.bind / 2;
  agenda_.After(
      latency_.bind / 2, [this, way_back, name, password = Secret(password), done = std::move(done)]() mutable {
        Verdict verdict{.decision = Decide(name, password.view())};
        if (verdict.decision == Decision::kAccepted) {
          verdict.identity = Identity(name.view(), absl::StrCat("entry-", UserNumber(name.view())));
        }
        agenda_.After(way_back,
                      [verdict = std::move(verdict), done = std::move(done)]() mutable { done(std::move(verdict)); });
      });
}

Decision Directory::Decide(const Username& name, SecretView password) const {
  const int32_t user = UserNumber(name.view());
  if (user < 0 || static_cast<size_t>(user) >= versions_.size()) return Decision::kUnknownUser;
  const std::string right = PasswordText(user, {.number = versions_[static_cast<size_t>(user)]});
  return SecretView(right) == password ? Decision::kAccepted : Decision::kWrongPassword;
}

}  // namespace credcache::mail_day
