// The negative entries of one bucket: which digests a backend rejected.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "absl/time/time.h"
#include "base/cache_policy.h"
#include "base/clock.h"
#include "base/revision.h"
#include "cache/digest.h"
#include "cache/index_table.h"
#include "cache/sieve_queue.h"
#include "cache/slab.h"

namespace credcache {

struct alignas(64) NegativeEntry {
  Digest digest;
  uint64_t account = 0;  // the keyed hash of its name: no name is needed
  MonotonicTime validated_at;
  Revision revision;
  uint32_t life_milliseconds = 0;  // from validated_at on
  uint16_t realm = 0;              // a RealmId
  bool visited = false;            // by SIEVE's hand to be spared
  bool used = false;               // the slab's

  absl::Duration life() const { return absl::Milliseconds(life_milliseconds); }
  // For a while after its end an entry answers nothing, but is remembered, so that the next one lives longer: else a
  // device that retries less often than a young entry lives would never make it grow.
  bool Remembered(MonotonicTime now, const CachePolicy& policy) const {
    return now - validated_at < life() + std::max({life(), policy.negative_longest, policy.negative_memory});
  }
};
static_assert(sizeof(NegativeEntry) == 64);

// Apart from the good entries, with a capacity and a SIEVE of their own: a spray of made-up names evicts only its like.
// Not thread-safe.
class NegativeTable {
 public:
  // `capacity` may be 0: then nothing may be inserted. `slots`: IndexTable::SlotsFor it.
  NegativeTable(int64_t capacity, std::span<IndexTable::Slot> slots) : capacity_(capacity), index_(slots) {}

  int64_t capacity() const { return capacity_; }
  // The entry, or null.
  NegativeEntry* Find(const Digest& digest);
  const NegativeEntry* Find(const Digest& digest) const;
  // A fresh entry; none of this digest is there yet. Evicts another when full.
  NegativeEntry& Insert(const Digest& digest);
  // Whether one was there.
  bool Remove(const Digest& digest);

  // Removes, in one of chunks() parts of the table, the entries for which `goes(entry)` holds; returns their number.
  template <typename Goes>
  int64_t RemoveIf(uint32_t chunk, const Goes& goes) {
    int64_t removed = 0;
    for (uint32_t index = chunk * kSlabChunkSize; index < (chunk + 1) * kSlabChunkSize; ++index) {
      const NegativeEntry& candidate = slab_.hot(index);
      if (candidate.used && goes(candidate)) {
        RemoveAt(index);
        ++removed;
      }
    }
    return removed;
  }
  uint32_t chunks() const { return slab_.chunks(); }

  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (uint32_t index = 0; index < slab_.chunks() * kSlabChunkSize; ++index) {
      if (slab_.hot(index).used) visit(slab_.hot(index));
    }
  }

  // The entries themselves. An empty one comes to Clear, and leaves with what was there, to be freed without the lock.
  using Entries = Slab<NegativeEntry, SieveLinks>;
  void Clear(Entries& entries) {
    std::swap(slab_, entries);
    index_.Clear();
    queue_ = {};
  }

  int64_t size() const { return slab_.size(); }
  int64_t evictions() const { return evictions_; }
  size_t heap_size() const { return slab_.heap_size() + index_.heap_size(); }

 private:
  // Digests are uniform, so any four bytes of one are a hash of it.
  static uint32_t Tag(const Digest& digest) {
    uint32_t tag = 0;
    std::memcpy(&tag, digest.bytes().data(), sizeof(tag));
    return tag;
  }
  uint32_t IndexOf(const Digest& digest) const;
  void RemoveAt(uint32_t index);

  int64_t capacity_;
  IndexTable index_;
  Entries slab_;
  SieveQueue<Entries> queue_;
  int64_t evictions_ = 0;
};

}  // namespace credcache
