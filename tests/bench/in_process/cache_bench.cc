// The cache alone: what is found, filled, evicted and forgotten.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "in_process/population.h"

namespace credcache::bench {
namespace {

using Verdict = FillRequest::Verdict;

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"users", "zipf"});
  for (const int64_t zipf : {0, 1}) {
    for (const int64_t users : {1'000, 10'000, 100'000, 1'000'000, 10'000'000}) benchmark->Args({users, zipf});
  }
  benchmark->Threads(1)->Threads(2)->UseManualTime();
}

Walk WalkOf(const benchmark::State& state) {
  return Walk(static_cast<uint32_t>(state.range(0)), Popularity{state.range(1)}, state.thread_index());
}

// A log-on, from its name to what the cache says of it.
Finding LookUp(Cache& cache, absl::string_view username, absl::string_view password) {
  World& world = TheWorld();
  const Username name = NameOf(username);
  const auto digest_of = [&](const Username& account) {
    return world.digester.Compute(workload::kRealm, account.view(), SecretView(password));
  };
  return cache.LookUp({kRealmId, name}, digest_of, world.policy, std::nullopt, world.clock.Monotonic()).finding;
}

// In-process hit: from a normalised name and a password by the index of other names, the digest and the look-up to an
// identity that is read. The clock is the caller's: whoever answers a log-on has looked at it when the log-on came. The
// log-ons are written down before each batch is timed: that is the benchmark's work, not the cache's. BM_ValidatorHit
// begins earlier and ends later.
void BM_Hit(benchmark::State& state) {
  struct LogOn {
    Username name;
    std::array<char, workload::kPasswordSize> password;
  };
  std::array<LogOn, 32> batch;
  World& world = TheWorld();
  Cache& cache = *PopulationOf(static_cast<uint32_t>(state.range(0))).cache;
  Walk walk = WalkOf(state);
  workload::Credentials credentials;
  while (state.KeepRunningBatch(batch.size())) {
    for (LogOn& log_on : batch) {
      credentials.Set(walk.Next());
      log_on.name = NameOf(credentials.username());
      std::copy_n(credentials.password().begin(), log_on.password.size(), log_on.password.begin());
    }
    const MonotonicTime began = world.clock.Monotonic();
    for (const LogOn& log_on : batch) {
      const SecretView password(absl::string_view(log_on.password.data(), log_on.password.size()));
      const auto digest_of = [&](const Username& account) {
        return world.digester.Compute(workload::kRealm, account.view(), password);
      };
      const Finding finding =
          cache.LookUp({kRealmId, log_on.name}, digest_of, world.policy, std::nullopt, began).finding;
      if (finding.kind != Finding::Kind::kAccepted) state.SkipWithError("not a hit");
      benchmark::DoNotOptimize(finding.identity.subject().back());
    }
    state.SetIterationTime(absl::ToDoubleSeconds(world.clock.Monotonic() - began));
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() != 0) return;
  const Population& population = PopulationOf(static_cast<uint32_t>(state.range(0)));
  const CacheCounts counts = population.cache->Counts();
  state.counters["bytes_per_entry"] = static_cast<double>(counts.bytes) / static_cast<double>(counts.entries);
  state.counters["resident_bytes_per_entry"] = population.resident_bytes_per_entry;
}
BENCHMARK(BM_Hit)->Apply(Sizes);

// The sizes at which the other operations are measured.
void FewSizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("users")->Arg(1'000)->Arg(1'000'000)->Threads(1)->Threads(2)->UseRealTime();
}

// A user of whom nothing is known.
void BM_MissAbsent(benchmark::State& state) {
  Cache& cache = *PopulationOf(static_cast<uint32_t>(state.range(0))).cache;
  Walk walk(static_cast<uint32_t>(state.range(0)), Popularity::kUniform, state.thread_index());
  workload::Credentials credentials;
  for (auto _ : state) {
    credentials.Set(workload::kFirstMissUser + walk.Next() % 1'000'000);
    benchmark::DoNotOptimize(LookUp(cache, credentials.username(), credentials.password()).kind);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_MissAbsent)->Apply(FewSizes);

// A user with another password than the entry's.
void BM_MissDigest(benchmark::State& state) {
  Cache& cache = *PopulationOf(static_cast<uint32_t>(state.range(0))).cache;
  Walk walk(static_cast<uint32_t>(state.range(0)), Popularity::kUniform, state.thread_index());
  workload::Credentials credentials;
  for (auto _ : state) {
    credentials.Set(walk.Next());
    benchmark::DoNotOptimize(LookUp(cache, credentials.username(), "never-seen-password").reason);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_MissDigest)->Apply(FewSizes);

// The wrong password that was rejected before.
void BM_NegativeHit(benchmark::State& state) {
  const auto users = static_cast<uint32_t>(state.range(0));
  Population& population = PopulationOf(users);
  // Of each user in eight, the share that negative entries have. They live 30 s: refreshed before each run.
  const uint32_t rejected = users / 16;
  if (state.thread_index() == 0) {
    for (uint32_t user = 0; user < rejected; ++user) Fill(*population.cache, user, Verdict::kRejected);
  }
  Walk walk(rejected, Popularity::kUniform, state.thread_index());
  workload::Credentials credentials;
  int64_t rejections = 0;
  for (auto _ : state) {
    credentials.Set(walk.Next());
    const Finding finding = LookUp(*population.cache, credentials.username(), credentials.wrong_password());
    rejections += finding.kind == Finding::Kind::kRejected ? 1 : 0;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["negative_share"] = benchmark::Counter(
      static_cast<double>(rejections) / static_cast<double>(state.iterations()), benchmark::Counter::kAvgThreads);
}
BENCHMARK(BM_NegativeHit)->Apply(FewSizes);

// A cache of the benchmark's own, that it may change, with the users from 0 on accepted.
std::unique_ptr<Cache> MakeFilled(int64_t max_entries, uint32_t users) {
  World& world = TheWorld();
  auto cache = std::make_unique<Cache>(CacheOptions{.max_entries = max_entries}, world.clock, world.randomness);
  for (uint32_t user = 0; user < users; ++user) Fill(*cache, user, Verdict::kAccepted);
  return cache;
}

// Without the quarantine, in which nothing would be filled for 5 s after an Invalidate.
CachePolicy PolicyWithoutQuarantine() {
  CachePolicy policy = TheWorld().policy;
  policy.quarantine = absl::ZeroDuration();
  return policy;
}

// A fill of a cache that is full: one entry goes for each that comes.
void BM_InsertWithEviction(benchmark::State& state) {
  const auto capacity = static_cast<uint32_t>(state.range(0));
  static std::unique_ptr<Cache> cache;
  if (state.thread_index() == 0) cache = MakeFilled(capacity, capacity);
  const auto threads = static_cast<uint32_t>(state.threads());
  auto user = capacity + static_cast<uint32_t>(state.thread_index());
  for (auto _ : state) {
    Fill(*cache, user, Verdict::kAccepted);
    user = (user + threads) % workload::kUserLimit;
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) state.counters["evictions"] = static_cast<double>(cache->Counts().evictions);
}
BENCHMARK(BM_InsertWithEviction)->Apply(FewSizes);

// Invalidate of one user, and the fill of the next log-on.
void BM_ForgetAndFill(benchmark::State& state) {
  const auto users = static_cast<uint32_t>(state.range(0));
  static std::unique_ptr<Cache> cache;
  if (state.thread_index() == 0) cache = MakeFilled(int64_t{users} * 2, users);
  const CachePolicy policy = PolicyWithoutQuarantine();
  Walk walk(users, Popularity::kUniform, state.thread_index());
  workload::Credentials credentials;
  int64_t removed = 0;
  for (auto _ : state) {
    const uint32_t user = walk.Next();
    credentials.Set(user);
    const Username name = NameOf(credentials.username());
    removed += cache->Forget({kRealmId, name}, Revision(), policy);
    Fill(*cache, user, Verdict::kAccepted);
  }
  benchmark::DoNotOptimize(removed);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ForgetAndFill)->Apply(FewSizes);

// Of a hundred: 94 hits, 4 rejections of one wrong password, one fill, one invalidation.
void BM_Mixed(benchmark::State& state) {
  const auto users = static_cast<uint32_t>(state.range(0));
  static std::unique_ptr<Cache> cache;
  if (state.thread_index() == 0) cache = MakeFilled(int64_t{users} * 2, users);
  const CachePolicy policy = PolicyWithoutQuarantine();
  Walk walk(users, Popularity::kZipf, state.thread_index());
  workload::Credentials credentials;
  uint32_t turn = 0;
  for (auto _ : state) {
    const uint32_t user = walk.Next();
    credentials.Set(user);
    turn = turn == 99 ? 0 : turn + 1;
    if (turn == 0) {
      const Username name = NameOf(credentials.username());
      cache->Forget({kRealmId, name}, Revision(), policy);
    } else if (turn == 1) {
      Fill(*cache, user, Verdict::kAccepted);
    } else {
      const absl::string_view password = turn <= 5 ? credentials.wrong_password() : credentials.password();
      benchmark::DoNotOptimize(LookUp(*cache, credentials.username(), password).kind);
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Mixed)->Apply(FewSizes);

}  // namespace
}  // namespace credcache::bench
