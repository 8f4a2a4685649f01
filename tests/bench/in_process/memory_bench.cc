// What memory alone costs, for the figures of large caches to be held against.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "base/huge_memory.h"
#include "in_process/population.h"

namespace credcache::bench {
namespace {

// An entry with its identity, in whole lines of the processor's cache.
struct Record {
  uint64_t next;
  uint64_t rest[23];
};
static_assert(sizeof(Record) == 192);

// The least that a look-up in a table of so many users waits: a slot of the index, met at random, and the record that
// it leads to, one after the other, both in huge pages. All three lines of the record are read, as an entry's are: they
// come together, but leave less room for the index in the processor's cache. There is no hash, no lock, and nothing is
// done with what is found.
void BM_TwoReads(benchmark::State& state) {
  const auto users = static_cast<uint32_t>(state.range(0));
  const HugeMemory index(size_t{users} * sizeof(uint64_t));
  const HugeMemory table(size_t{users} * sizeof(Record));
  const auto slots = index.As<uint64_t>();
  const auto records = table.As<Record>();
  // Both orders are random, and neither follows from the other.
  Walk walk(users, Popularity::kUniform, 0);
  for (uint32_t i = 0; i < users; ++i) {
    slots[i] = walk.Next();
    records[i].next = walk.Next();
  }
  uint64_t at = 0;
  uint64_t turn = 0;
  for (auto _ : state) {
    const Record& record = records[slots[at]];
    const uint64_t others = record.rest[8] + record.rest[16];  // of the other lines; zero
    at = (record.next + others + ++turn) % users;              // else it would go round in a circle, and a short one
  }
  benchmark::DoNotOptimize(at);
}
BENCHMARK(BM_TwoReads)->ArgName("users")->Arg(1'000)->Arg(1'000'000);

}  // namespace
}  // namespace credcache::bench
