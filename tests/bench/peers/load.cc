#include "peers/load.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "workload/credentials.h"

namespace credcache::peers {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

absl::Status Rejected(const workload::Credentials& credentials) {
  return absl::PermissionDeniedError(
      absl::StrCat("the peer rejects ", credentials.username(), ", who has the right password"));
}

// The first error of all lanes.
class FirstError {
 public:
  void Set(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    if (status_.ok()) status_ = status;
    failed_.store(true, std::memory_order_relaxed);
  }
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  absl::Status Get() const {
    absl::MutexLock lock(&mutex_);
    return status_;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> failed_ = false;
};

// Keeps one lane full until `end`, and counts what is answered from `begin` to then.
class Worker {
 public:
  Worker(Lane& lane, const LoadOptions& options, uint32_t number, FirstError& error)
      : lane_(lane), users_(options.users), random_(options.seed * 1'000'003 + number), error_(error) {
    asked_.resize(lane.depth());
    users_asked_.resize(lane.depth());
  }

  void Run(Time begin, Time end) {
    uint32_t open = 0;
    for (; open < lane_.depth(); ++open) Ask(open);
    std::vector<Answer> answers;
    while (open > 0 && !error_.failed()) {
      answers.clear();
      if (absl::Status status = lane_.Wait(&answers); !status.ok()) return error_.Set(status);
      const Time now = Clock::now();
      for (const Answer& answer : answers) {
        if (answer.id >= asked_.size()) return error_.Set(absl::InternalError("an answer to what was not asked"));
        Count(answer, begin, end, now);
        if (now < end) {
          Ask(answer.id);
        } else {
          --open;
        }
      }
    }
  }

  void AddTo(LoadResult* result) const {
    result->requests += latency_.count();
    result->accepted += latency_.count() - rejected_;
    result->rejected += rejected_;
    for (const auto& [bound, count] : latency_.Buckets()) result->latency.Record(bound, count);
  }

 private:
  void Ask(uint32_t id) {
    const auto user = static_cast<uint32_t>(random_() % users_);
    const workload::Credentials credentials(user);
    asked_[id] = Clock::now();
    users_asked_[id] = user;
    lane_.Ask(id, credentials);
  }

  void Count(const Answer& answer, Time begin, Time end, Time now) {
    if (now >= begin && now <= end) {
      latency_.Record(static_cast<uint64_t>(std::chrono::nanoseconds(now - asked_[answer.id]).count()));
      rejected_ += answer.accepted ? 0 : 1;
    }
    if (!answer.accepted) error_.Set(Rejected(workload::Credentials(users_asked_[answer.id])));
  }

  Lane& lane_;
  const uint32_t users_;
  std::mt19937_64 random_;
  FirstError& error_;
  std::vector<Time> asked_;  // by id
  std::vector<uint32_t> users_asked_;
  load::Histogram latency_;
  uint64_t rejected_ = 0;
};

// Each user once, over one lane.
absl::Status Prime(Lane& lane, uint32_t users) {
  std::vector<Answer> answers;
  for (uint32_t user = 0; user < users; ++user) {
    const workload::Credentials credentials(user);
    lane.Ask(0, credentials);
    answers.clear();
    if (absl::Status status = lane.Wait(&answers); !status.ok()) return status;
    if (!answers[0].accepted) return Rejected(credentials);
  }
  return absl::OkStatus();
}

}  // namespace

LoadResult RunLoad(const LoadOptions& options, const LaneFactory& make_lane) {
  LoadResult result;
  std::vector<std::unique_ptr<Lane>> lanes;
  for (uint32_t number = 0; number < options.lanes; ++number) {
    lanes.push_back(make_lane(number));
    if (result.error = lanes.back()->Open(); !result.error.ok()) return result;
  }
  // Says at once when the first user is not known.
  if (result.error = Prime(*lanes[0], options.prime ? options.users : 1); !result.error.ok()) return result;

  FirstError error;
  const Time begin = Clock::now() + absl::ToChronoNanoseconds(options.warm_up);
  const Time end = begin + absl::ToChronoNanoseconds(options.duration);
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < options.lanes; ++number) {
    workers.push_back(std::make_unique<Worker>(*lanes[number], options, number, error));
    threads.emplace_back([&worker = *workers.back(), begin, end] { worker.Run(begin, end); });
  }
  for (std::thread& thread : threads) thread.join();
  result.error = error.Get();
  result.seconds = std::max(0.0, std::chrono::duration<double>(std::min(Clock::now(), end) - begin).count());
  for (const auto& worker : workers) worker->AddTo(&result);
  return result;
}

}  // namespace credcache::peers
