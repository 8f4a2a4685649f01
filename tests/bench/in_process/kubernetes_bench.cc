// The workload with which the Kubernetes API server's token cache is published, on our validator stack;
// tests/bench/kubernetes has the other side of the comparison, and describes it.
//
// What there waits for the backend, here goes on: the answer comes later, by callback. Only answers that have come are
// counted.
#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "in_process/stack.h"

namespace credcache::bench {
namespace {

constexpr absl::Duration kAcceptedLife = absl::Seconds(4);
constexpr absl::Duration kRejectedLife = absl::Milliseconds(500);
constexpr absl::Duration kBackendTime = absl::Milliseconds(1);
constexpr size_t kBackendWidth = 40;

enum class Fate : uint8_t { kAccepted, kRejected, kError };

// Nine of ten are accepted, nine of a hundred rejected, one of a hundred is an error: by number, scattered.
Fate FateOf(uint32_t token) {
  const uint32_t of_hundred = token * 37 % 100;
  return of_hundred < 90 ? Fate::kAccepted : of_hundred < 99 ? Fate::kRejected : Fate::kError;
}

// Takes 1 ms for each, 40 at a time, in the order in which they come.
class SlowBackend final : public Validator {
 public:
  SlowBackend() : thread_([this] { Run(); }) { thread_.detach(); }  // as the stacks, it is there to the end

  void Resolve(const NameQuery& query, ResolveDone done) override { done(Account{.name = query.name}); }

  void Validate(const LogOn& log_on, ValidateDone done) override {
    uint32_t token = 0;
    for (const char c : log_on.username.view().substr(5, workload::kDigits)) {
      token = token * 10 + static_cast<uint32_t>(c - '0');
    }
    absl::MutexLock lock(&mutex_);
    absl::Time& free_at = free_at_[next_lane_++ % kBackendWidth];
    free_at = std::max(free_at, absl::Now()) + kBackendTime;
    queue_.push_back({free_at, token, std::move(done)});
  }

 private:
  struct Question {
    absl::Time due;
    uint32_t token;
    ValidateDone done;
  };

  void Run() {
    while (true) {
      Question next;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.Await(absl::Condition(
            +[](std::deque<Question>* queue) { return !queue->empty(); }, &queue_));
        next = std::move(queue_.front());
        queue_.pop_front();
      }
      absl::SleepFor(next.due - absl::Now());
      next.done(AnswerTo(next.token));
    }
  }

  static absl::StatusOr<Verdict> AnswerTo(uint32_t token) {
    workload::Credentials credentials(token);
    switch (FateOf(token)) {
      case Fate::kAccepted:
        return Verdict{.decision = Decision::kAccepted, .identity = MakeIdentity(credentials.username(), token)};
      case Fate::kRejected:
        return Verdict{.decision = Decision::kWrongPassword};
      case Fate::kError:
        break;
    }
    return absl::UnavailableError("the backend has failed");
  }

  absl::Mutex mutex_;
  std::array<absl::Time, kBackendWidth> free_at_ ABSL_GUARDED_BY(mutex_) = {};
  size_t next_lane_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Question> queue_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

// One case: so many tokens of so many bytes. Never destroyed: answers may come after a benchmark's end.
class Case {
 public:
  Case(uint32_t tokens, size_t bytes)
      : tokens_(MakeTokens(tokens)),
        password_(bytes - workload::kRealm.size() - workload::kUsernameSize, 'x'),
        cache_({}, TheWorld().clock, TheWorld().randomness),
        stack_(cache_, Policy(), Protection::kNone, std::make_shared<SlowBackend>()) {
    for (uint32_t token = 0; token < tokens; ++token) Ask(token);
    while (answers() < tokens) absl::SleepFor(kBackendTime);
  }

  void Ask(uint32_t token) {
    const auto& [username, fate] = tokens_[token];
    stack_.Validate(username, password_, [this, fate = fate](absl::StatusOr<Verdict> verdict) {
      const Fate answer = !verdict.ok()                              ? Fate::kError
                          : verdict->decision == Decision::kAccepted ? Fate::kAccepted
                                                                     : Fate::kRejected;
      if (answer != fate) wrong_.fetch_add(1, std::memory_order_relaxed);
      answers_.Local().Add();
    });
  }

  int64_t answers() const {
    uint64_t sum = 0;
    answers_.ForEach([&sum](const Count& count) { sum += count.Read(); });
    return static_cast<int64_t>(sum);
  }
  int64_t wrong() const { return wrong_.load(); }

 private:
  // Made before they are asked for, as there.
  struct Token {
    std::string username;
    Fate fate;
  };
  static std::vector<Token> MakeTokens(uint32_t tokens) {
    std::vector<Token> made(tokens);
    for (uint32_t token = 0; token < tokens; ++token) {
      made[token] = {.username = std::string(workload::Credentials(token).username()), .fate = FateOf(token)};
    }
    return made;
  }

  static CachePolicy Policy() {
    CachePolicy policy;
    policy.age_limit = kAcceptedLife;
    policy.negative_first = policy.negative_longest = kRejectedLife;
    return policy;
  }

  const std::vector<Token> tokens_;
  const std::string password_;
  Cache cache_;
  Stack stack_;
  Striped<Count> answers_;
  std::atomic<int64_t> wrong_{0};
};

Case& CaseOf(uint32_t tokens, size_t bytes) {
  static absl::Mutex mutex;
  static auto& cases = *new std::map<std::pair<uint32_t, size_t>, std::unique_ptr<Case>>();
  absl::MutexLock lock(&mutex);
  std::unique_ptr<Case>& found = cases[{tokens, bytes}];
  if (found == nullptr) found = std::make_unique<Case>(tokens, bytes);
  return *found;
}

void BM_Kubernetes(benchmark::State& state) {
  const auto tokens = static_cast<uint32_t>(state.range(0));
  Case& tested = CaseOf(tokens, static_cast<size_t>(state.range(1)));
  Walk walk(tokens, Popularity::kUniform, state.thread_index());
  // The walk's tokens and the first one in turn.
  uint32_t first = 1;
  const int64_t answered_before = tested.answers();
  for (auto _ : state) {
    first ^= 1;
    tested.Ask(first != 0 ? 0 : walk.Next());
  }
  // Each thread its share of what all were answered.
  state.SetItemsProcessed((tested.answers() - answered_before) / state.threads());
  if (tested.wrong() != 0) state.SkipWithError("a wrong answer");
}
BENCHMARK(BM_Kubernetes)
    ->ArgNames({"tokens", "bytes"})
    ->Args({100, 842})
    ->Args({100, 51})
    ->Args({12'500, 842})
    ->Args({12'500, 51})
    ->Threads(1)
    ->Threads(2)
    ->UseRealTime();

}  // namespace
}  // namespace credcache::bench
