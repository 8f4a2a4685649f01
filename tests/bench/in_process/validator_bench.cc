// The validator stack without RPC: what a hit costs by the time that it reaches whoever answers the call.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "in_process/stack.h"

namespace credcache::bench {
namespace {

// Behind users who are all known: nobody should come here.
class NoBackend final : public Validator {
 public:
  void Resolve(const NameQuery&, ResolveDone done) override { done(absl::UnavailableError("no backend")); }
  void Validate(const LogOn&, ValidateDone done) override { done(absl::UnavailableError("no backend")); }
};

Stack& StackOf(uint32_t users, Protection protection) {
  static absl::Mutex mutex;
  static auto& stacks = *new std::map<std::pair<uint32_t, Protection>, std::unique_ptr<Stack>>();
  Cache& cache = *PopulationOf(users).cache;
  absl::MutexLock lock(&mutex);
  std::unique_ptr<Stack>& stack = stacks[{users, protection}];
  if (stack == nullptr) {
    stack = std::make_unique<Stack>(cache, TheWorld().policy, protection, std::make_shared<NoBackend>());
  }
  return *stack;
}

void BM_ValidatorHit(benchmark::State& state) {
  const auto users = static_cast<uint32_t>(state.range(0));
  const Stack& stack = StackOf(users, Protection{state.range(2)});
  Walk walk(users, Popularity{state.range(1)}, state.thread_index());
  workload::Credentials credentials;
  int64_t accepted = 0;
  for (auto _ : state) {
    credentials.Set(walk.Next());
    stack.Validate(credentials.username(), credentials.password(), [&accepted](absl::StatusOr<Verdict> verdict) {
      accepted += verdict.ok() && verdict->decision == Decision::kAccepted ? 1 : 0;
      benchmark::DoNotOptimize(verdict->identity.subject().back());
    });
  }
  if (accepted != state.iterations()) state.SkipWithError("not every one was a hit");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ValidatorHit)
    ->ArgNames({"users", "zipf", "shield"})
    ->ArgsProduct({{1'000, 1'000'000}, {0, 1}, {0, 1}})
    ->Threads(1)
    ->Threads(2)
    ->UseRealTime();

}  // namespace
}  // namespace credcache::bench
