// The good entries of one bucket: who was accepted, by account and digest.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/block_pool.h"
#include "base/clock.h"
#include "base/identity.h"
#include "base/names.h"
#include "base/revision.h"
#include "cache/digest.h"
#include "cache/heap_size.h"
#include "cache/index_table.h"
#include "cache/sieve_queue.h"

namespace credcache {

// Identities of entries that went, for the caller to let go when no lock is held any longer.
using Released = std::vector<Identity>;

// Lies in the room before its identity, so that a hit waits for memory once: the index leads to both.
struct Entry : SieveLinks {
  uint32_t next_of_account = kNoIndex;
  uint32_t place = 0;  // in the table's list of all
  uint64_t account = 0;
  Digest digest;
  MonotonicTime validated_at;
  Revision revision;
  uint64_t last_used_milliseconds : 42 = 0;  // since the cache's start: 139 years of them
  uint64_t realm : 16 = 0;                   // a RealmId
  uint64_t visited : 1 = false;              // by SIEVE's hand to be spared
  uint64_t refresh_asked : 1 = false;        // since the validation

  // The identity of the entry, shared.
  Identity identity() const { return Identity::SharePooled(BlockPool::Global().HandleOf(this)); }
};
static_assert(sizeof(Entry) == Identity::kRoom);

// Accounts are told apart by a 64-bit keyed hash of their names. Should two ever share one, they are forgotten and
// superseded together; an acceptance rests on the digest alone, which is compared whole. Not thread-safe.
class EntryTable {
 public:
  // `capacity`: at least 1; beyond it, each insertion evicts. `slots`: IndexTable::SlotsFor it.
  EntryTable(int64_t capacity, std::span<IndexTable::Slot> slots);

  // The entry, or null.
  Entry* Find(uint64_t account, const Digest& digest) const;
  // Has the account's newest entry brought from memory, for a Find that comes soon. `index`: over the table's slots.
  // Needs no lock.
  static void Prefetch(const IndexTable& index, uint64_t account);
  // The same of what Prefetch itself has to wait for.
  static void PrefetchIndex(const IndexTable& index, uint64_t account) { index.Prefetch(Low(account)); }

  // The account's entries, the newest first, for loops; null: no more.
  Entry* FirstOf(uint64_t account) const;
  static Entry* NextOfAccount(const Entry& entry) { return EntryOrNull(entry.next_of_account); }

  // A fresh entry of the account with this digest and identity (IdentityPool's); no such entry is there yet. Evicts
  // another when full.
  Entry& Insert(uint64_t account, const Digest& digest, Identity identity, Released& released);
  void Remove(const Entry& entry, Released& released);

  // Removes, in one of parts() parts of the table, the entries for which `goes(entry)` holds; returns their number.
  // From the last part to the first, every entry that was there before is met, whatever else happens in between: who
  // leaves gives its place to the last.
  template <typename Goes>
  int64_t RemoveIf(uint32_t part, const Goes& goes, Released& released) {
    int64_t removed = 0;
    const size_t begin = size_t{part} * kPartSize;
    for (size_t place = std::min(begin + kPartSize, handles().size()); place-- > begin;) {
      const Entry& candidate = EntryAt(handles()[place]);
      if (!goes(candidate)) continue;
      Remove(candidate, released);
      ++removed;
    }
    return removed;
  }
  static constexpr uint32_t kPartSize = 64;
  uint32_t parts() const { return static_cast<uint32_t>((handles().size() + kPartSize - 1) / kPartSize); }

  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const BlockPool::Handle entry : handles()) visit(EntryAt(entry));
  }

  // The entries themselves, each by a handle to its identity. Fresh ones with room for all come to Clear, and leave
  // with what was there, to be let go without the lock.
  class Entries {
   public:
    explicit Entries(int64_t capacity) { handles.reserve(static_cast<size_t>(capacity)); }
    Entries(Entries&&) = default;
    Entries& operator=(Entries&&) = delete;
    ~Entries() {
      for (const BlockPool::Handle handle : handles) Identity::FromPool(handle);
    }

    std::vector<BlockPool::Handle> handles;
  };
  void Clear(Entries& entries);

  int64_t size() const { return static_cast<int64_t>(handles().size()); }
  int64_t evictions() const { return evictions_; }
  size_t heap_size() const {
    return index_.heap_size() + HeapSize(handles().capacity() * sizeof(BlockPool::Handle)) + blocks_size_;
  }

 private:
  // Entries as SieveQueue sees them.
  struct Records {
    static Entry& hot(uint32_t entry) { return EntryAt(entry); }
    static Entry& cold(uint32_t entry) { return EntryAt(entry); }
  };

  const std::vector<BlockPool::Handle>& handles() const { return entries_.handles; }
  static Entry& EntryAt(BlockPool::Handle handle) { return *static_cast<Entry*>(Identity::RoomOf(handle)); }
  static Entry* EntryOrNull(uint32_t handle) { return handle == kNoIndex ? nullptr : &EntryAt(handle); }
  static BlockPool::Handle HandleOf(const Entry& entry) { return BlockPool::Global().HandleOf(&entry); }
  static uint32_t Low(uint64_t account) { return static_cast<uint32_t>(account); }
  uint32_t FirstHandleOf(uint64_t account) const;

  int64_t capacity_;
  // From the low half of an account's hash to its newest entry, from which next_of_account leads to the others.
  IndexTable index_;
  Entries entries_;
  [[no_unique_address]] Records records_;
  SieveQueue<Records> queue_;
  size_t blocks_size_ = 0;
  int64_t evictions_ = 0;
};

}  // namespace credcache
