// Validates against a PostgreSQL database: reads the user's hash there, and verifies the password here.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "backends/postgres_feed.h"
#include "backends/postgres_options.h"
#include "backends/postgres_worker.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reporter.h"
#include "base/worker_pool.h"
#include "validator/validator.h"

namespace credcache {

// As many threads as connections are configured, each with a PostgresWorker. A question is answered within the
// configured timeout or by its deadline, whichever is sooner, the wait for a thread included, and one hash.
//
// A name that finds no row, or several, or a row without a good hash costs the work of a wrong password: the query, and
// the hash that most users have.
//
// Destroy it when no call is under way; what waits is answered UNAVAILABLE.
class PostgresBackend final : public Validator {
 public:
  // `changes` hears what the database notifies of, if the options say so; may be null otherwise.
  PostgresBackend(PostgresBackendOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
                  std::shared_ptr<ChangeListener> changes);
  ~PostgresBackend() override;

  // Where the query has no column `username`: the name itself, without asking anybody (once it is known that there is
  // none). Otherwise a log-on costs two queries: nothing that is read here counts in Validate.
  void Resolve(const Username& username, MonotonicTime deadline, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  struct Resolution;
  struct Validation;
  // Runs `work` on a thread, with a worker; RESOURCE_EXHAUSTED: not at all.
  absl::Status Submit(absl::AnyInvocable<void(PostgresWorker&)> work);
  MonotonicTime DeadlineFor(MonotonicTime callers) const;
  // Why not even to begin, if there is a reason.
  absl::Status Refusal(MonotonicTime deadline) const;

  const PostgresBackendOptions options_;
  Clock& clock_;
  PostgresState state_;
  std::atomic<bool> stopping_ = false;
  absl::Mutex mutex_;
  // The last one used is the next: under little load few connections are kept busy, and the others age away.
  std::vector<std::unique_ptr<PostgresWorker>> idle_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<WorkerPool> threads_;
  std::unique_ptr<PostgresFeed> feed_;  // null: not configured
};

}  // namespace credcache
