#include "cache/entry_table.h"

#include <utility>

namespace credcache {

uint32_t EntryTable::Find(uint64_t account, const Digest& digest) const {
  // Only the digest decides, so that a hit need not read Links, which lie in another cache line.
  uint32_t found = kNoIndex;
  index_.Find(Low(account), [&](uint32_t first) {
    for (uint32_t at = first; at != kNoIndex; at = slab_.cold(at).next_of_account) {
      if (slab_.hot(at).digest == digest) {
        found = at;
        return true;
      }
    }
    return false;
  });
  return found;
}

uint32_t EntryTable::FirstOf(uint64_t account) const {
  return index_.Find(Low(account), [&](uint32_t first) { return slab_.cold(first).account_high == High(account); });
}

Entry& EntryTable::Insert(uint64_t account, const Digest& digest, Identity identity, Released& released) {
  if (slab_.size() >= capacity_) {
    Remove(queue_.ChooseVictim(slab_), released);
    ++evictions_;
  }
  const uint32_t index = slab_.Allocate();
  const uint32_t first = FirstOf(account);
  if (first == kNoIndex) {
    index_.Insert(Low(account), index);
  } else {
    index_.Replace(Low(account), first, index);
  }
  auto& links = slab_.cold(index);
  links.next_of_account = first;
  links.account_low = Low(account);
  links.account_high = High(account);
  queue_.Push(slab_, index);

  Entry& fresh = slab_.hot(index);
  fresh.digest = digest;
  identities_heap_size_ += HeapSize(identity.BlockSize());
  fresh.identity = std::move(identity);
  return fresh;
}

void EntryTable::ReplaceIdentity(Entry& entry, Identity identity, Released& released) {
  identities_heap_size_ += HeapSize(identity.BlockSize());
  identities_heap_size_ -= HeapSize(entry.identity.BlockSize());
  released.push_back(std::exchange(entry.identity, std::move(identity)));
}

void EntryTable::Remove(uint32_t index, Released& released) {
  const auto& links = slab_.cold(index);
  const uint64_t account = uint64_t{links.account_high} << 32 | links.account_low;
  const uint32_t first = FirstOf(account);
  if (first != index) {
    uint32_t before = first;
    while (slab_.cold(before).next_of_account != index) before = slab_.cold(before).next_of_account;
    slab_.cold(before).next_of_account = links.next_of_account;
  } else if (links.next_of_account != kNoIndex) {
    index_.Replace(Low(account), index, links.next_of_account);
  } else {
    index_.Erase(Low(account), index);
  }
  queue_.Remove(slab_, index);
  Entry& gone = slab_.hot(index);
  identities_heap_size_ -= HeapSize(gone.identity.BlockSize());
  released.push_back(std::move(gone.identity));
  slab_.Free(index);
}

}  // namespace credcache
