#include "backends/postgres_backend.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace credcache {

struct PostgresBackend::Resolution {
  Username name;
  MonotonicTime deadline;
  ResolveDone done;
};

struct PostgresBackend::Validation {
  PostgresWorker::Question question;
  ValidateDone done;
};

PostgresBackend::PostgresBackend(PostgresBackendOptions options, Clock& clock, Randomness& randomness,
                                 Reporter& reporter, std::shared_ptr<ChangeListener> changes)
    : options_(std::move(options)), clock_(clock), state_(options_.identity.realm, clock, reporter) {
  {
    const absl::MutexLock lock(&mutex_);
    for (int i = 0; i < options_.connections; ++i) {
      idle_.push_back(std::make_unique<PostgresWorker>(options_, state_, clock));
    }
  }
  threads_ = std::make_unique<WorkerPool>("postgres", options_.connections, options_.max_queue);
  if (!options_.feed) return;
  feed_ = std::make_unique<PostgresFeed>(PostgresFeedOptions{.dsn_file = options_.dsn_file,
                                                             .channel = options_.channel,
                                                             .realm = options_.identity.realm,
                                                             .case_rule = options_.identity.case_rule,
                                                             .timeout = options_.timeout},
                                         clock, randomness, reporter, std::move(changes));
}

PostgresBackend::~PostgresBackend() {
  // The pool runs what is queued: now it answers at once.
  stopping_ = true;
  feed_.reset();
  threads_.reset();
}

void PostgresBackend::Resolve(const Username& username, MonotonicTime deadline, ResolveDone done) {
  if (!state_.has_username().value_or(true)) return done(Account{.name = username});
  // Shared, since a full queue destroys the work and the answer is still owed.
  const auto resolution = std::make_shared<Resolution>(
      Resolution{.name = username, .deadline = DeadlineFor(deadline), .done = std::move(done)});
  const absl::Status queued = Submit([this, resolution](PostgresWorker& worker) {
    const absl::Status refusal = Refusal(resolution->deadline);
    if (!refusal.ok()) return resolution->done(refusal);
    resolution->done(worker.Resolve(resolution->name, resolution->deadline));
  });
  if (!queued.ok()) resolution->done(queued);
}

void PostgresBackend::Validate(const LogOn& log_on, ValidateDone done) {
  // Known without looking: nobody's password is empty.
  if (log_on.password.empty()) return done(Verdict{.decision = Decision::kWrongPassword});
  const auto validation = std::make_shared<Validation>();
  PostgresWorker::Question& question = validation->question;
  // Not the account's name: the query may know only what was asked, an address for instance.
  question.asked = log_on.username;
  if (log_on.account != nullptr && log_on.account->known) question.account = log_on.account->name;
  question.password = Secret(log_on.password);
  question.deadline = DeadlineFor(log_on.deadline);
  validation->done = std::move(done);
  const absl::Status queued = Submit([this, validation](PostgresWorker& worker) {
    const absl::Status refusal = Refusal(validation->question.deadline);
    absl::StatusOr<Verdict> verdict =
        refusal.ok() ? worker.Validate(validation->question) : absl::StatusOr<Verdict>(refusal);
    if (!verdict.ok()) verdict = WithoutRejection(verdict.status());  // passwords are checked here, and nobody counts
    // Wiped before others hear of it, not when the last of them lets go of the task.
    validation->question.password = Secret();
    validation->done(std::move(verdict));
  });
  if (!queued.ok()) validation->done(queued);
}

absl::Status PostgresBackend::Submit(absl::AnyInvocable<void(PostgresWorker&)> work) {
  return threads_->Submit([this, held_work = std::move(work)]() mutable {
    std::unique_ptr<PostgresWorker> worker;
    {
      // There are as many workers as threads.
      const absl::MutexLock lock(&mutex_);
      worker = std::move(idle_.back());
      idle_.pop_back();
    }
    held_work(*worker);
    const absl::MutexLock lock(&mutex_);
    idle_.push_back(std::move(worker));
  });
}

MonotonicTime PostgresBackend::DeadlineFor(MonotonicTime callers) const {
  return std::min(callers, clock_.Monotonic() + options_.timeout);
}

absl::Status PostgresBackend::Refusal(MonotonicTime deadline) const {
  if (stopping_) return absl::UnavailableError("the validator is stopping");
  if (clock_.Monotonic() >= deadline) {
    return absl::UnavailableError("no connection to the database became free in time");
  }
  return absl::OkStatus();
}

}  // namespace credcache
