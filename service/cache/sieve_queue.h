// Whom to evict, by SIEVE (Zhang, Yang, Yue, Vigfusson, Rashmi: "SIEVE is Simpler than LRU", NSDI 2024).
#pragma once

#include <cstdint>

#include "cache/index_table.h"

namespace credcache {

// The links of a record, part of its Cold.
struct SieveLinks {
  uint32_t newer = kNoIndex;
  uint32_t older = kNoIndex;
};

// Records in the order of their arrival. `Slab` leads from an index to the record's two parts (slab.h): SieveLinks in
// cold(index), a flag `visited` in hot(index). A use only sets that flag, so a hit moves nothing. A hand goes from the
// oldest to the newest: it spares once whoever was visited, and evicts the first that was not; from the newest it goes
// on at the oldest. Not thread-safe.
template <typename Slab>
class SieveQueue {
 public:
  void Push(Slab& slab, uint32_t index) {
    slab.cold(index).older = newest_;
    slab.cold(index).newer = kNoIndex;
    (newest_ == kNoIndex ? oldest_ : slab.cold(newest_).newer) = index;
    newest_ = index;
  }

  void Remove(Slab& slab, uint32_t index) {
    const uint32_t older = slab.cold(index).older;
    const uint32_t newer = slab.cold(index).newer;
    (older == kNoIndex ? oldest_ : slab.cold(older).newer) = newer;
    (newer == kNoIndex ? newest_ : slab.cold(newer).older) = older;
    if (hand_ == index) hand_ = newer;
  }

  // The record to remove for a new one. The queue is not empty.
  uint32_t ChooseVictim(Slab& slab) {
    if (hand_ == kNoIndex) hand_ = oldest_;
    while (slab.hot(hand_).visited) {
      slab.hot(hand_).visited = false;
      hand_ = slab.cold(hand_).newer == kNoIndex ? oldest_ : slab.cold(hand_).newer;
    }
    return hand_;
  }

 private:
  uint32_t newest_ = kNoIndex;
  uint32_t oldest_ = kNoIndex;
  uint32_t hand_ = kNoIndex;  // where to go on; none: at the oldest
};

}  // namespace credcache
