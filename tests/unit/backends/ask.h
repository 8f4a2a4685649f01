// Asks a validator, and waits for what it says.
#pragma once

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "base/clock.h"
#include "base/names.h"
#include "validator/validator.h"

namespace credcache {

inline absl::StatusOr<Verdict> AskAndWait(Validator& validator, const LogOn& log_on) {
  absl::StatusOr<Verdict> result;
  absl::Notification answered;
  validator.Validate(log_on, [&](absl::StatusOr<Verdict> verdict) {
    result = std::move(verdict);
    answered.Notify();
  });
  answered.WaitForNotification();
  return result;
}

inline absl::StatusOr<std::optional<Account>> ResolveAndWait(Validator& validator, const Username& name) {
  absl::StatusOr<std::optional<Account>> result;
  absl::Notification answered;
  validator.Resolve({.name = name}, [&](absl::StatusOr<std::optional<Account>> account) {
    result = std::move(account);
    answered.Notify();
  });
  answered.WaitForNotification();
  return result;
}

}  // namespace credcache
