// A validator for tests of the server: a few users, and answers that can be held back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "validator/validator.h"

namespace credcache {

// Knows alice ("s3cret"), disabled, expired and locked (same password). Thread-safe.
class HeldValidator final : public Validator {
 public:
  // From now on answers wait until Release.
  void Hold() {
    absl::MutexLock lock(&mutex_);
    holding_ = true;
  }
  // Lets go of what is held, and holds no more.
  void Release() {
    std::vector<absl::AnyInvocable<void()>> held;
    {
      absl::MutexLock lock(&mutex_);
      holding_ = false;
      held.swap(held_);
    }
    for (auto& answer : held) answer();
  }
  // Answers of this user alone wait.
  void HoldUser(const std::string& name) {
    absl::MutexLock lock(&mutex_);
    held_user_ = name;
  }
  void Fail(absl::Status error) {
    absl::MutexLock lock(&mutex_);
    error_ = std::move(error);
  }
  void SetIdentity(Identity identity) {
    absl::MutexLock lock(&mutex_);
    identity_ = std::move(identity);
  }
  void WaitForHeld(size_t count) const {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return held_.size() >= count; };
    mutex_.Await(absl::Condition(&enough));
  }
  int validations() const {
    absl::MutexLock lock(&mutex_);
    return validations_;
  }
  std::optional<absl::Duration> last_max_age() const {
    absl::MutexLock lock(&mutex_);
    return last_max_age_;
  }

  void Resolve(const NameQuery& query, ResolveDone done) override {
    done(std::optional<Account>(Account{.name = query.name}));
  }

  void Validate(const LogOn& log_on, ValidateDone done) override {
    absl::StatusOr<Verdict> answer = Decide(log_on);
    {
      absl::MutexLock lock(&mutex_);
      ++validations_;
      last_max_age_ = log_on.max_age;
      if (!error_.ok()) answer = error_;
      if (holding_ || (!held_user_.empty() && held_user_ == log_on.username.view())) {
        held_.emplace_back([answer = std::move(answer), done = std::move(done)]() mutable { done(std::move(answer)); });
        return;
      }
    }
    done(std::move(answer));
  }

 private:
  absl::StatusOr<Verdict> Decide(const LogOn& log_on) const {
    const std::map<std::string, Decision> decisions = {{"alice", Decision::kAccepted},
                                                       {"disabled", Decision::kAccountDisabled},
                                                       {"expired", Decision::kPasswordExpired},
                                                       {"locked", Decision::kLocked}};
    Verdict verdict{.validated_at = absl::FromUnixSeconds(1'800'000'000),
                    .expires_at = absl::FromUnixSeconds(1'800'007'200)};
    const std::string name(log_on.username.view());
    const auto it = decisions.find(name);
    if (it == decisions.end()) {
      verdict.decision = Decision::kUnknownUser;
    } else if (!(log_on.password == SecretView("s3cret"))) {
      verdict.decision = Decision::kWrongPassword;
    } else {
      verdict.decision = it->second;
      absl::MutexLock lock(&mutex_);
      if (verdict.decision == Decision::kAccepted) {
        verdict.identity = identity_.empty() ? Identity(name, "uuid-" + name) : identity_;
      }
    }
    return verdict;
  }

  mutable absl::Mutex mutex_;
  bool holding_ ABSL_GUARDED_BY(mutex_) = false;
  std::string held_user_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::AnyInvocable<void()>> held_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  Identity identity_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Duration> last_max_age_ ABSL_GUARDED_BY(mutex_);
  int validations_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace credcache
