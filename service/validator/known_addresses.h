// From which addresses an account lately succeeded.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/huge_memory.h"
#include "base/prefetch.h"

namespace credcache {

// Remembers pairs of account and address by a keyed hash of both, of which 40 bits are kept beside a place: that one of
// a stranger is taken for known has odds of one in 10^11. A full table forgets the pair that succeeded longest ago.
//
// Thread-safe, without locks: it is met at each log-on, and touches one cache line. Two that learn in the same line at
// the same moment may lose one of the two, who then learns it next time.
class KnownAddresses {
 public:
  // `start`: no later time comes before it.
  KnownAddresses(int64_t pairs, MonotonicTime start);

  // Has what is known of `pair` brought from memory, for a Contains or a Learn that comes soon.
  void Prefetch(uint64_t pair) const { credcache::Prefetch(&LineOf(pair)); }
  // Whether `pair` succeeded less than `known_for` ago.
  bool Contains(uint64_t pair, absl::Duration known_for, MonotonicTime now) const;
  void Learn(uint64_t pair, MonotonicTime now);

 private:
  static constexpr size_t kWays = 8;
  struct alignas(64) Line {
    std::atomic<uint64_t> ways[kWays];  // 40 bits of the pair, 24 of the minute, from 1 on; 0: free
  };

  uint64_t Minute(MonotonicTime now) const;
  Line& LineOf(uint64_t pair) const { return memory_.As<Line>()[pair & (lines_ - 1)]; }

  const MonotonicTime start_;
  const size_t lines_;
  const HugeMemory memory_;
};

}  // namespace credcache
