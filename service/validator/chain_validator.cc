#include "validator/chain_validator.h"

#include <utility>

#include "base/secret.h"

namespace credcache {

// A log-on on its way along the chain, with a copy of what the views in LogOn showed.
struct ChainValidator::Attempt {
  Username username;
  Secret password;
  MonotonicTime deadline;
  bool quarantined = false;
  ValidateDone done;

  // The password is wiped before others hear of the answer, not when the last of them lets go of the attempt.
  void Answer(absl::StatusOr<Verdict> verdict) {
    password = Secret();
    done(std::move(verdict));
  }
};

ChainValidator::ChainValidator(std::vector<Link> links) : links_(std::move(links)) {}

void ChainValidator::Resolve(const NameQuery& query, ResolveDone done) { ResolveFrom(0, query, std::move(done)); }

void ChainValidator::ResolveFrom(size_t link, const NameQuery& query, ResolveDone done) {
  if (link == links_.size()) return done(std::optional<Account>());
  links_[link].validator->Resolve(
      query, [this, link, query, done = std::move(done)](absl::StatusOr<std::optional<Account>> account) mutable {
        if (account.ok() && !account->has_value()) {
          return ResolveFrom(link + 1, query, std::move(done));
        }
        if (account.ok()) (*account)->validator = static_cast<int>(link);
        done(std::move(account));
      });
}

void ChainValidator::Validate(const LogOn& log_on, ValidateDone done) {
  auto attempt = std::make_unique<Attempt>(Attempt{.username = log_on.username,
                                                   .password = Secret(log_on.password),
                                                   .deadline = log_on.deadline,
                                                   .quarantined = log_on.quarantined,
                                                   .done = std::move(done)});
  if (log_on.account != nullptr) {
    Account account = *log_on.account;
    if (!account.known) account.validator = static_cast<int>(links_.size()) - 1;
    return ValidateAt(std::move(attempt), account);
  }
  ContinueFrom(0, std::move(attempt), std::nullopt);
}

void ChainValidator::ContinueFrom(size_t link, std::unique_ptr<Attempt> attempt, std::optional<Verdict> otherwise) {
  const NameQuery query = {
      .name = attempt->username, .deadline = attempt->deadline, .quarantined = attempt->quarantined};
  ResolveFrom(link, query,
              [this, attempt = std::move(attempt),
               otherwise = std::move(otherwise)](absl::StatusOr<std::optional<Account>> account) mutable {
                if (!account.ok()) return attempt->Answer(account.status());
                if (account->has_value()) return ValidateAt(std::move(attempt), **account);
                if (otherwise.has_value()) return attempt->Answer(*std::move(otherwise));
                const Account nobody{
                    .name = attempt->username, .validator = static_cast<int>(links_.size()) - 1, .known = false};
                ValidateAt(std::move(attempt), nobody);
              });
}

void ChainValidator::ValidateAt(std::unique_ptr<Attempt> attempt, const Account& account) {
  const auto at = static_cast<size_t>(account.validator);
  const Attempt& view = *attempt;
  links_[at].validator->Validate(
      {.username = view.username,
       .password = view.password.view(),
       .account = &account,
       .deadline = view.deadline,
       .quarantined = view.quarantined},
      [this, at, attempt = std::move(attempt)](absl::StatusOr<Verdict> verdict) mutable {
        const bool unknown = verdict.ok() && verdict->decision == Decision::kUnknownUser;
        const bool rejected = verdict.ok() && verdict->decision == Decision::kWrongPassword;
        if ((unknown || (rejected && links_[at].continue_on_rejected)) && at + 1 < links_.size()) {
          return ContinueFrom(at + 1, std::move(attempt), *std::move(verdict));
        }
        attempt->Answer(std::move(verdict));
      });
}

}  // namespace credcache
