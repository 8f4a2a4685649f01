#include "validator/metered_validator.h"

#include <utility>

namespace credcache {
namespace {

BackendResult ResultOf(const absl::Status& error) {
  return absl::IsResourceExhausted(error) ? BackendResult::kOverload : BackendResult::kError;
}

BackendResult ResultOf(const absl::StatusOr<Verdict>& verdict) {
  if (!verdict.ok()) return ResultOf(verdict.status());
  switch (verdict->decision) {
    case Decision::kAccepted:
      return BackendResult::kAccepted;
    case Decision::kUnknownUser:
      return BackendResult::kUnknownUser;
    case Decision::kWrongPassword:
      return BackendResult::kRejected;
    case Decision::kLocked:
      return BackendResult::kLocked;
    case Decision::kAccountDisabled:
      return BackendResult::kDisabled;
    case Decision::kPasswordExpired:
      return BackendResult::kExpired;
    case Decision::kThrottled:  // no backend says so
      break;
  }
  return BackendResult::kError;
}

}  // namespace

MeteredValidator::MeteredValidator(std::unique_ptr<Validator> inner, BackendMetrics& metrics, Clock& clock)
    : metrics_(metrics), clock_(clock), inner_(std::move(inner)) {}

void MeteredValidator::Resolve(const NameQuery& query, ResolveDone done) {
  metrics_.Begin();
  inner_->Resolve(query, [this, began = clock_.Monotonic(),
                          done = std::move(done)](absl::StatusOr<std::optional<Account>> account) mutable {
    if (account.ok()) {
      metrics_.EndResolve();
    } else {
      metrics_.End(ResultOf(account.status()), clock_.Monotonic() - began);
    }
    done(std::move(account));
  });
}

void MeteredValidator::Validate(const LogOn& log_on, ValidateDone done) {
  metrics_.Begin();
  inner_->Validate(log_on,
                   [this, began = clock_.Monotonic(), done = std::move(done)](absl::StatusOr<Verdict> verdict) mutable {
                     metrics_.End(ResultOf(verdict), clock_.Monotonic() - began);
                     done(std::move(verdict));
                   });
}

}  // namespace credcache
