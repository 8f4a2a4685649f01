// What backends whose libraries block have in common: some threads, each with a worker of its own, behind a bounded
// queue.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/names.h"
#include "base/secret.h"
#include "base/waiting.h"
#include "base/worker_pool.h"
#include "validator/validator.h"

namespace credcache {

struct BackendWorkersOptions {
  std::string name;        // of the threads
  int workers;             // at least one
  std::string want;        // what there was none of when a question waited too long: "connection to the directory"
  absl::Duration timeout;  // of one question, from when it was asked to its answer, the wait for a worker included
  size_t max_queue = kMaxBackendQueue;
  Waiting* waiting = nullptr;  // counts who waits; null: nobody wants to know
};

// A bulkhead: as many questions at once as there are workers, in the order in which they came; the others wait, so many
// of them, and no longer than the timeout.
//
// A Worker is used by one thread at a time, and blocks. It has
//   struct Question { Secret password; MonotonicTime deadline; ... };
//   absl::StatusOr<std::optional<Account>> Resolve(const NameQuery& query);
//   absl::StatusOr<Verdict> Validate(const Question& question);
//   void Rest();  // after each question, when nobody waits for this worker
//
// Thread-safe. Destroy it when no call is under way; what waits is answered UNAVAILABLE.
template <typename Worker>
class BackendWorkers {
 public:
  using Question = typename Worker::Question;

  // `options.workers` times what `make` makes.
  BackendWorkers(BackendWorkersOptions options, Clock& clock, absl::FunctionRef<std::unique_ptr<Worker>()> make)
      : options_(std::move(options)), clock_(clock) {
    std::generate_n(std::back_inserter(idle_), options_.workers, make);
    threads_ = std::make_unique<WorkerPool>(options_.name, options_.workers, options_.max_queue, options_.waiting);
  }
  // The pool runs what is queued: now it answers at once.
  ~BackendWorkers() {
    stopping_ = true;
    threads_.reset();
  }
  BackendWorkers(const BackendWorkers&) = delete;
  BackendWorkers& operator=(const BackendWorkers&) = delete;

  // `query.deadline`: the caller's.
  void Resolve(NameQuery query, Validator::ResolveDone done) {
    query.deadline = DeadlineFor(query.deadline);
    // Shared, since a full queue destroys the work and the answer is still owed.
    const auto resolution =
        std::make_shared<Resolution>(Resolution{.query = std::move(query), .done = std::move(done)});
    const absl::Status queued = Submit([this, resolution](Worker& worker) {
      const absl::Status refusal = Refusal(resolution->query.deadline);
      if (!refusal.ok()) return resolution->done(refusal);
      resolution->done(worker.Resolve(resolution->query));
    });
    if (!queued.ok()) resolution->done(queued);
  }

  // `question.deadline`: the caller's.
  void Validate(Question question, Validator::ValidateDone done) {
    question.deadline = DeadlineFor(question.deadline);
    const auto validation =
        std::make_shared<Validation>(Validation{.question = std::move(question), .done = std::move(done)});
    const absl::Status queued = Submit([this, validation](Worker& worker) {
      const absl::Status refusal = Refusal(validation->question.deadline);
      absl::StatusOr<Verdict> verdict =
          refusal.ok() ? worker.Validate(validation->question) : absl::StatusOr<Verdict>(refusal);
      // Wiped before others hear of it, not when the last of them lets go of the task.
      validation->question.password = Secret();
      validation->done(std::move(verdict));
    });
    if (!queued.ok()) validation->done(queued);
  }

 private:
  struct Resolution {
    NameQuery query;
    Validator::ResolveDone done;
  };
  struct Validation {
    Question question;
    Validator::ValidateDone done;
  };

  // Runs `work` on a thread, with a worker; RESOURCE_EXHAUSTED: not at all.
  absl::Status Submit(absl::AnyInvocable<void(Worker&)> work) {
    return threads_->Submit([this, held_work = std::move(work)]() mutable {
      std::unique_ptr<Worker> worker;
      {
        // There are as many workers as threads.
        const absl::MutexLock lock(&mutex_);
        worker = std::move(idle_.back());
        idle_.pop_back();
      }
      held_work(*worker);
      if (!stopping_) worker->Rest();
      const absl::MutexLock lock(&mutex_);
      idle_.push_back(std::move(worker));
    });
  }

  MonotonicTime DeadlineFor(MonotonicTime callers) const {
    return std::min(callers, clock_.Monotonic() + options_.timeout);
  }

  // Why not even to begin, if there is a reason.
  absl::Status Refusal(MonotonicTime deadline) const {
    if (stopping_) return WithoutRejection(absl::UnavailableError("the validator is stopping"));
    if (clock_.Monotonic() >= deadline) {
      return WithoutBlame(
          WithoutRejection(absl::UnavailableError(absl::StrCat("no ", options_.want, " became free in time"))));
    }
    return absl::OkStatus();
  }

  const BackendWorkersOptions options_;
  Clock& clock_;
  std::atomic<bool> stopping_ = false;
  absl::Mutex mutex_;
  // The last one used is the next: under little load few connections are kept busy, and the others age away.
  std::vector<std::unique_ptr<Worker>> idle_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<WorkerPool> threads_;
};

}  // namespace credcache
