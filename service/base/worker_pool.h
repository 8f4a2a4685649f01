// Threads for work that blocks (password hashes, directories), behind a bounded queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/waiting.h"

namespace credcache {

// Thread-safe. Tasks start in the order in which they came.
class WorkerPool {
 public:
  using Task = absl::AnyInvocable<void()>;

  // Starts `threads` threads, named `name` (15 characters count) in debuggers. At most `max_queue` tasks wait; they are
  // counted in `waiting`, which may be null and outlives the pool.
  WorkerPool(const std::string& name, int threads, size_t max_queue, Waiting* waiting = nullptr);
  // Runs what is queued, then joins the threads. Must not be called from one of them.
  ~WorkerPool();

  // RESOURCE_EXHAUSTED when the queue is full; the task has then not been touched.
  absl::Status Submit(Task task);
  // Tasks waiting.
  size_t queued() const;

 private:
  void Run();
  void CountWaiting(int64_t change);

  const size_t max_queue_;
  Waiting* const waiting_;
  mutable absl::Mutex mutex_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace credcache
