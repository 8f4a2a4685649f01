#include "backends/postgres_backend.h"

#include <utility>

namespace credcache {

PostgresBackend::PostgresBackend(PostgresBackendOptions options, Clock& clock, Randomness& randomness,
                                 Reporter& reporter, std::shared_ptr<ChangeListener> changes, Waiting* waiting)
    : options_(std::move(options)), state_(options_.identity.realm, clock, randomness, reporter) {
  workers_ = std::make_unique<BackendWorkers<PostgresWorker>>(
      BackendWorkersOptions{.name = "postgres",
                            .workers = options_.connections,
                            .want = "connection to the database",
                            .timeout = options_.timeout,
                            .max_queue = options_.max_queue,
                            .waiting = waiting},
      clock, [&] { return std::make_unique<PostgresWorker>(options_, state_, clock); });
  if (!options_.feed) return;
  feed_ = std::make_unique<PostgresFeed>(PostgresFeedOptions{.dsn_file = options_.dsn_file,
                                                             .channel = options_.channel,
                                                             .realm = options_.identity.realm,
                                                             .case_rule = options_.identity.case_rule,
                                                             .timeout = options_.timeout},
                                         clock, randomness, reporter, std::move(changes));
}

void PostgresBackend::Resolve(const NameQuery& query, ResolveDone done) {
  if (!state_.has_username().value_or(true)) return done(Account{.name = query.name});
  workers_->Resolve(query, std::move(done));
}

void PostgresBackend::Validate(const LogOn& log_on, ValidateDone done) {
  // Known without looking: nobody's password is empty.
  if (log_on.password.empty()) return done(Verdict{.decision = Decision::kWrongPassword});
  // Not the account's name: the query may know only what was asked, an address for instance.
  PostgresWorker::Question question = {.asked = log_on.username,
                                       .password = Secret(log_on.password),
                                       .deadline = log_on.deadline,
                                       .quarantined = log_on.quarantined};
  if (log_on.account != nullptr && log_on.account->known) question.account = log_on.account->name;
  workers_->Validate(std::move(question), std::move(done));
}

}  // namespace credcache
