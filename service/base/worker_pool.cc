#include "base/worker_pool.h"

#include <pthread.h>

#include <utility>

namespace credcache {

WorkerPool::WorkerPool(const std::string& name, int threads, size_t max_queue, Waiting* waiting)
    : max_queue_(max_queue), waiting_(waiting) {
  threads_.reserve(static_cast<size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), name.substr(0, 15).c_str());
  }
}

WorkerPool::~WorkerPool() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

absl::Status WorkerPool::Submit(Task task) {
  absl::MutexLock lock(&mutex_);
  if (queue_.size() >= max_queue_) return absl::ResourceExhaustedError("too many requests wait for this backend");
  queue_.push_back(std::move(task));
  CountWaiting(1);
  return absl::OkStatus();
}

size_t WorkerPool::queued() const {
  absl::MutexLock lock(&mutex_);
  return queue_.size();
}

void WorkerPool::CountWaiting(int64_t change) {
  if (waiting_ != nullptr) waiting_->fetch_add(change, std::memory_order_relaxed);
}

void WorkerPool::Run() {
  while (true) {
    Task task;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](WorkerPool* pool) ABSL_NO_THREAD_SAFETY_ANALYSIS { return pool->stopping_ || !pool->queue_.empty(); },
          this));
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
      CountWaiting(-1);
    }
    std::move(task)();
  }
}

}  // namespace credcache
