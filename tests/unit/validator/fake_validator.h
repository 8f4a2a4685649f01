// A validator for tests: a table of users, whose answers come at once or when the test says so.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "validator/validator.h"

namespace credcache {

inline Username Name(absl::string_view name) { return Username::Normalize(name, CaseRule::kFold).value(); }

// Thread-safe.
class FakeValidator final : public Validator {
 public:
  // A user with a password; further names are aliases of it.
  void AddUser(absl::string_view name, absl::string_view password,
               std::initializer_list<absl::string_view> aliases = {}) {
    absl::MutexLock lock(&mutex_);
    passwords_[std::string(name)] = std::string(password);
    names_[std::string(name)] = std::string(name);
    for (const absl::string_view alias : aliases) names_[std::string(alias)] = std::string(name);
  }
  void RemoveUser(absl::string_view name) {
    absl::MutexLock lock(&mutex_);
    passwords_.erase(std::string(name));
    names_.erase(std::string(name));
  }
  // Every validation from now on answers this, whatever is asked.
  void AnswerAlways(std::optional<absl::StatusOr<Verdict>> answer) {
    absl::MutexLock lock(&mutex_);
    always_ = std::move(answer);
  }
  void FailResolve(absl::Status error) {
    absl::MutexLock lock(&mutex_);
    resolve_error_ = std::move(error);
  }
  // For a backend that cannot tell who exists: every name is an account.
  void CannotResolve() {
    absl::MutexLock lock(&mutex_);
    cannot_resolve_ = true;
  }
  // Canonical names come only with the verdict.
  void CanonicalNameOnlyInVerdict() {
    absl::MutexLock lock(&mutex_);
    cannot_resolve_ = true;
    canonical_in_verdict_ = true;
  }

  // Holds answers back until Release.
  void Hold() {
    absl::MutexLock lock(&mutex_);
    holding_ = true;
  }
  void Release() {
    std::deque<absl::AnyInvocable<void()>> held;
    {
      absl::MutexLock lock(&mutex_);
      holding_ = false;
      held.swap(held_);
    }
    for (auto& answer : held) answer();
  }

  int resolves() const {
    absl::MutexLock lock(&mutex_);
    return resolves_;
  }
  int validations() const {
    absl::MutexLock lock(&mutex_);
    return validations_;
  }

  // How many of each were quarantined.
  int quarantined_resolves() const {
    absl::MutexLock lock(&mutex_);
    return quarantined_resolves_;
  }
  int quarantined_validations() const {
    absl::MutexLock lock(&mutex_);
    return quarantined_validations_;
  }

  void Resolve(const NameQuery& query, ResolveDone done) override {
    absl::StatusOr<std::optional<Account>> answer = std::optional<Account>();
    {
      absl::MutexLock lock(&mutex_);
      ++resolves_;
      if (query.quarantined) ++quarantined_resolves_;
      const auto found = names_.find(std::string(query.name.view()));
      if (!resolve_error_.ok()) {
        answer = resolve_error_;
      } else if (cannot_resolve_) {
        answer = Account{.name = query.name};
      } else if (found != names_.end()) {
        answer =
            Account{.name = Name(found->second), .subject = "id-" + found->second, .locator = "cn=" + found->second};
      }
    }
    done(std::move(answer));
  }

  void Validate(const LogOn& log_on, ValidateDone done) override {
    absl::StatusOr<Verdict> answer = Verdict{.decision = Decision::kUnknownUser};
    {
      absl::MutexLock lock(&mutex_);
      ++validations_;
      if (log_on.quarantined) ++quarantined_validations_;
      const std::string asked(log_on.account != nullptr ? log_on.account->name.view() : log_on.username.view());
      const auto canonical = names_.find(asked);
      if (always_.has_value()) {
        answer = *always_;
      } else if (canonical != names_.end()) {
        const std::string& name = canonical_in_verdict_ ? canonical->second : asked;
        if (SecretView(passwords_[canonical->second]) == log_on.password) {
          answer = Verdict{.decision = Decision::kAccepted, .identity = Identity(name, "id-" + name)};
        } else {
          answer = Verdict{.decision = Decision::kWrongPassword};
        }
      }
      if (holding_) {
        held_.emplace_back([answer = std::move(answer), done = std::move(done)]() mutable { done(std::move(answer)); });
        return;
      }
    }
    done(std::move(answer));
  }

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, std::string> passwords_;
  std::map<std::string, std::string> names_;
  std::optional<absl::StatusOr<Verdict>> always_;
  absl::Status resolve_error_;
  bool cannot_resolve_ = false;
  bool canonical_in_verdict_ = false;
  bool holding_ = false;
  std::deque<absl::AnyInvocable<void()>> held_;
  int resolves_ = 0;
  int quarantined_resolves_ = 0;
  int validations_ = 0;
  int quarantined_validations_ = 0;
};

}  // namespace credcache
