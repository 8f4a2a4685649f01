// A table that never grows: small records by key, of which a new one takes the place of the one that matters least.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/base/thread_annotations.h"
#include "absl/hash/hash.h"
#include "absl/numeric/bits.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/huge_memory.h"

namespace credcache {

// Of what a record is about: a keyed hash, never 0.
template <typename... Parts>
uint64_t TableKey(uint64_t seed, const Parts&... parts) {
  return std::max<uint64_t>(1, absl::HashOf(seed, parts...));
}

// Thread-safe: sets of eight records, each with a lock. Takes memory only as it fills. Keys are TableKeys: uniform,
// and two things never share one, but with the odds of 64 bits.
//
// A Record is its zeroes when fresh, owes no destructor, and tells by `int64_t Weight(MonotonicTime now)` how much it
// matters: not at all (0 or less: it is dropped), up to kIrreplaceable, which is never given up.
template <typename Record>
class BoundedTable {
 public:
  static constexpr int64_t kIrreplaceable = std::numeric_limits<int64_t>::max();

  explicit BoundedTable(int64_t records)
      : sets_(absl::bit_ceil(static_cast<size_t>(std::max<int64_t>(1, records / kWays)))),
        memory_(sets_ * sizeof(Set)) {}
  BoundedTable(const BoundedTable&) = delete;
  BoundedTable& operator=(const BoundedTable&) = delete;

  // Calls `visit(Record&)` under a lock, for the record of `key`, or a fresh one. False: all that could make room is
  // irreplaceable.
  template <typename Visit>
  bool Update(uint64_t key, MonotonicTime now, const Visit& visit) {
    Set& set = SetOf(key);
    absl::MutexLock lock(&set.mutex);
    size_t way = Find(set, key);
    if (way == kWays) {
      way = LeastOf(set, now);
      if (set.keys[way] != 0 && set.records[way].Weight(now) == kIrreplaceable) return false;
      set.keys[way] = key;
      set.records[way] = Record();
    }
    visit(set.records[way]);
    return true;
  }

  // Calls `visit(Record&)` under a lock where there is a record of `key`.
  template <typename Visit>
  void UpdateIfThere(uint64_t key, const Visit& visit) const {
    Set& set = SetOf(key);
    absl::MutexLock lock(&set.mutex);
    if (const size_t way = Find(set, key); way != kWays) visit(set.records[way]);
  }

 private:
  static constexpr size_t kWays = 8;
  struct Set {
    absl::Mutex mutex;
    std::array<uint64_t, kWays> keys ABSL_GUARDED_BY(mutex);
    std::array<Record, kWays> records ABSL_GUARDED_BY(mutex);
  };

  Set& SetOf(uint64_t key) const { return memory_.As<Set>()[key & (sets_ - 1)]; }
  static size_t Find(const Set& set, uint64_t key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(set.mutex) {
    return static_cast<size_t>(std::find(set.keys.begin(), set.keys.end(), key) - set.keys.begin());
  }
  static size_t LeastOf(const Set& set, MonotonicTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(set.mutex) {
    size_t least = 0;
    int64_t least_weight = kIrreplaceable;
    for (size_t way = 0; way < kWays; ++way) {
      const int64_t weight = set.keys[way] == 0 ? std::numeric_limits<int64_t>::min() : set.records[way].Weight(now);
      if (weight >= least_weight) continue;
      least = way;
      least_weight = weight;
    }
    return least;
  }

  const size_t sets_;
  const HugeMemory memory_;
};

}  // namespace credcache
