#include "cache/negative_table.h"

namespace credcache {

uint32_t NegativeTable::IndexOf(const Digest& digest) const {
  return index_.Find(Tag(digest), [&](uint32_t index) { return slab_.hot(index).digest == digest; });
}

NegativeEntry* NegativeTable::Find(const Digest& digest) {
  const uint32_t index = IndexOf(digest);
  return index == kNoIndex ? nullptr : &slab_.hot(index);
}

const NegativeEntry* NegativeTable::Find(const Digest& digest) const {
  const uint32_t index = IndexOf(digest);
  return index == kNoIndex ? nullptr : &slab_.hot(index);
}

NegativeEntry& NegativeTable::Insert(const Digest& digest) {
  if (slab_.size() >= capacity_) {
    RemoveAt(queue_.ChooseVictim(slab_));
    ++evictions_;
  }
  const uint32_t index = slab_.Allocate();
  slab_.hot(index).digest = digest;
  index_.Insert(Tag(digest), index);
  queue_.Push(slab_, index);
  return slab_.hot(index);
}

bool NegativeTable::Remove(const Digest& digest) {
  const uint32_t index = IndexOf(digest);
  if (index != kNoIndex) RemoveAt(index);
  return index != kNoIndex;
}

void NegativeTable::RemoveAt(uint32_t index) {
  index_.Erase(Tag(slab_.hot(index).digest), index);
  queue_.Remove(slab_, index);
  slab_.Free(index);
}

}  // namespace credcache
