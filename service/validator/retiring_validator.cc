#include "validator/retiring_validator.h"

#include <utility>

namespace credcache {

RetiringValidator::RetiringValidator(RetiringOptions options, const Shared& shared, std::shared_ptr<Validator> inner)
    : options_(std::move(options)), shared_(shared), inner_(std::move(inner)) {}

void RetiringValidator::Resolve(const NameQuery& query, ResolveDone done) { inner_->Resolve(query, std::move(done)); }

void RetiringValidator::Validate(const LogOn& log_on, ValidateDone done) {
  inner_->Validate(
      log_on, [this, asked = log_on.account == nullptr ? log_on.username : log_on.account->name,
               password = Secret(log_on.password), done = std::move(done)](absl::StatusOr<Verdict> verdict) mutable {
        if (verdict.ok() && verdict->decision == Decision::kAccepted && !IsCurrent(*verdict, asked, password.view())) {
          verdict = Verdict{.decision = Decision::kWrongPassword};
        }
        password = Secret();  // before others hear of the answer
        done(std::move(verdict));
      });
}

bool RetiringValidator::IsCurrent(const Verdict& verdict, const Username& asked, SecretView password) {
  if (verdict.password_stamp == 0) return true;
  // The canonical name, which some directories tell only to who has logged on.
  const auto canonical = Username::Normalize(verdict.identity.username(), options_.case_rule);
  const Username& account = canonical.ok() ? *canonical : asked;
  return shared_.accepted.Accept({options_.realm_id, account},
                                 shared_.digester.Compute(options_.realm, account.view(), password),
                                 verdict.password_stamp, options_.keep);
}

}  // namespace credcache
