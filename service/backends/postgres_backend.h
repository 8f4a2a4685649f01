// Validates against a PostgreSQL database: reads the user's hash there, and verifies the password here.
#pragma once

#include <memory>

#include "backends/backend_workers.h"
#include "backends/postgres_feed.h"
#include "backends/postgres_options.h"
#include "backends/postgres_worker.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reporter.h"
#include "base/waiting.h"
#include "validator/validator.h"

namespace credcache {

// As many BackendWorkers as connections are configured, each a PostgresWorker. A question is answered within the
// configured timeout or by its deadline, whichever is sooner, the wait for a worker included, and one hash.
//
// A name that finds no row, or several, or a row without a good hash costs the work of a wrong password: the query, and
// the hash that most users have.
//
// Destroy it when no call is under way; what waits is answered UNAVAILABLE.
class PostgresBackend final : public Validator {
 public:
  // `changes` hears what the database notifies of, if the options say so; may be null otherwise.
  // `waiting`: BackendWorkersOptions.
  PostgresBackend(PostgresBackendOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
                  std::shared_ptr<ChangeListener> changes, Waiting* waiting = nullptr);

  // Where the query has no column `username`: the name itself, without asking anybody (once it is known that there is
  // none). Otherwise a log-on costs two queries: nothing that is read here counts in Validate.
  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  const PostgresBackendOptions options_;
  PostgresState state_;
  std::unique_ptr<BackendWorkers<PostgresWorker>> workers_;
  std::unique_ptr<PostgresFeed> feed_;  // null: not configured
};

}  // namespace credcache
