// The good entries of one bucket: who was accepted, by account and digest.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/identity.h"
#include "base/names.h"
#include "base/revision.h"
#include "cache/digest.h"
#include "cache/index_table.h"
#include "cache/sieve_queue.h"
#include "cache/slab.h"

namespace credcache {

// Identities of entries that went, for the caller to let go when no lock is held any longer.
using Released = std::vector<Identity>;

// What a look-up reads: one cache line.
struct alignas(64) Entry {
  Digest digest;
  Identity identity;
  MonotonicTime validated_at;
  Revision revision;
  uint64_t last_used_milliseconds : 42 = 0;  // since the cache's start: 139 years of them
  uint64_t realm : 16 = 0;                   // a RealmId
  uint64_t visited : 1 = false;              // by SIEVE's hand to be spared
  uint64_t refresh_asked : 1 = false;        // since the validation
  uint64_t used : 1 = false;                 // the slab's
};
static_assert(sizeof(Entry) == 64);

// Accounts are told apart by a 64-bit keyed hash of their names. Should two ever share one, they are forgotten and
// superseded together; an acceptance rests on the digest alone, which is compared whole. Not thread-safe.
class EntryTable {
 public:
  static constexpr uint32_t kEntriesInChunk = 64;

  // `capacity`: at least 1; beyond it, each insertion evicts.
  explicit EntryTable(int64_t capacity) : capacity_(capacity) {}

  // The index of the entry, or kNoIndex.
  uint32_t Find(uint64_t account, const Digest& digest) const;
  Entry& entry(uint32_t index) { return slab_.hot(index); }
  const Entry& entry(uint32_t index) const { return slab_.hot(index); }

  // The account's entries, the newest first, for loops; kNoIndex: no more.
  uint32_t FirstOf(uint64_t account) const;
  uint32_t NextOfAccount(uint32_t index) const { return slab_.cold(index).next_of_account; }

  // A fresh entry of the account with this digest and identity; no such entry is there yet. Evicts another when full.
  Entry& Insert(uint64_t account, const Digest& digest, Identity identity, Released& released);
  void ReplaceIdentity(Entry& entry, Identity identity, Released& released);
  void Remove(uint32_t index, Released& released);

  // Removes, in one of chunks() parts of the table, the entries for which `goes(entry)` holds; returns their number.
  template <typename Goes>
  int64_t RemoveIf(uint32_t chunk, const Goes& goes, Released& released) {
    int64_t removed = 0;
    for (uint32_t index = chunk * kSlabChunkSize; index < (chunk + 1) * kSlabChunkSize; ++index) {
      const Entry& candidate = slab_.hot(index);
      if (candidate.used && goes(candidate)) {
        Remove(index, released);
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

  int64_t size() const { return slab_.size(); }
  int64_t evictions() const { return evictions_; }
  size_t heap_size() const { return slab_.heap_size() + index_.heap_size() + identities_heap_size_; }

 private:
  struct Links : SieveLinks {
    uint32_t next_of_account = kNoIndex;
    uint32_t account_low = 0;  // the account's hash in two halves, so that Links is 20 bytes
    uint32_t account_high = 0;
  };
  using Slabs = Slab<Entry, Links>;

  static uint32_t Low(uint64_t account) { return static_cast<uint32_t>(account); }
  static uint32_t High(uint64_t account) { return static_cast<uint32_t>(account >> 32); }

  int64_t capacity_;
  // From the low half of an account's hash to its newest entry, from which next_of_account leads to the others.
  IndexTable index_;
  Slabs slab_;
  SieveQueue<Slabs> queue_;
  size_t identities_heap_size_ = 0;
  int64_t evictions_ = 0;
};

}  // namespace credcache
