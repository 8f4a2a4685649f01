// A hash table from 32-bit tags to the indices of a Slab's records.
#pragma once

#include <cstdint>
#include <vector>

#include "cache/heap_size.h"
#include "cache/slab.h"

namespace credcache {

// Open addressing with linear probing: eight bytes a slot, and a look-up touches one cache line as a rule before it
// goes to the record. Tags must be uniform already (parts of a hash); one tag may stand several times, for different
// indices. Not thread-safe.
class IndexTable {
 public:
  IndexTable();

  // The first index under `tag` for which `matches(index)` holds, or kNoIndex.
  template <typename Matches>
  uint32_t Find(uint32_t tag, const Matches& matches) const {
    for (uint32_t at = tag & mask_; slots_[at].index != kNoIndex; at = (at + 1) & mask_) {
      if (slots_[at].tag == tag && matches(slots_[at].index)) return slots_[at].index;
    }
    return kNoIndex;
  }

  void Insert(uint32_t tag, uint32_t index);
  // Those that must be there:
  void Erase(uint32_t tag, uint32_t index);
  void Replace(uint32_t tag, uint32_t from, uint32_t to);

  size_t heap_size() const { return HeapSize(slots_.capacity() * sizeof(Slot)); }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t index = kNoIndex;  // none: the slot is empty
  };

  uint32_t Position(uint32_t tag, uint32_t index) const;
  void Grow();

  std::vector<Slot> slots_;  // a power of two
  uint32_t mask_;            // their number less one
  uint32_t size_ = 0;
};

}  // namespace credcache
