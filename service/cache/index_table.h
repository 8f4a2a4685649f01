// A hash table from 32-bit tags to the indices of records.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "base/prefetch.h"

namespace credcache {

// No record.
inline constexpr uint32_t kNoIndex = std::numeric_limits<uint32_t>::max();

// Open addressing with linear probing: eight bytes a slot, and a look-up touches one cache line as a rule before it
// goes to the record. Tags must be uniform already (parts of a hash); one tag may stand several times, for different
// indices.
//
// It never grows: that would be an allocation, and a long one, under its bucket's lock. Not thread-safe, but for Guess.
class IndexTable {
 public:
  // The tag above, the index plus one below; 0: empty. Atomic for Guess alone.
  using Slot = std::atomic<uint64_t>;

  // How many slots `capacity` indices need: a fifth of them stays empty, so that probes are short.
  static size_t SlotsFor(int64_t capacity) { return static_cast<size_t>(capacity + capacity / 4 + 1); }

  // `slots`: zeroed; outlive the table.
  explicit IndexTable(std::span<Slot> slots) : slots_(slots) {}

  // The first index under `tag` for which `matches(index)` holds, or kNoIndex.
  template <typename Matches>
  uint32_t Find(uint32_t tag, const Matches& matches) const {
    for (size_t at = Home(tag); uint64_t slot = Get(at); at = Next(at)) {
      if (TagOf(slot) == tag && matches(IndexOf(slot))) return IndexOf(slot);
    }
    return kNoIndex;
  }

  // What Find may find first, or kNoIndex. Needs no lock: others may change the table meanwhile, and the guess is wrong
  // then.
  uint32_t Guess(uint32_t tag) const {
    size_t at = Home(tag);
    for (int steps = 0; steps < kGuessedSteps; ++steps, at = Next(at)) {
      const uint64_t slot = Get(at);
      if (slot == 0) break;
      if (TagOf(slot) == tag) return IndexOf(slot);
    }
    return kNoIndex;
  }

  // Has the slot at which both begin brought from memory. Needs no lock.
  void Prefetch(uint32_t tag) const { credcache::Prefetch(&slots_[Home(tag)]); }

  // At most as many as the slots were made for.
  void Insert(uint32_t tag, uint32_t index);
  // Those that must be there:
  void Erase(uint32_t tag, uint32_t index);
  void Replace(uint32_t tag, uint32_t from, uint32_t to);
  void Clear();

  size_t heap_size() const { return slots_.size_bytes(); }

 private:
  static constexpr int kGuessedSteps = 8;  // a cache line of them

  static uint64_t MakeSlot(uint32_t tag, uint32_t index) { return uint64_t{tag} << 32 | (index + 1); }
  static uint32_t TagOf(uint64_t slot) { return static_cast<uint32_t>(slot >> 32); }
  static uint32_t IndexOf(uint64_t slot) { return static_cast<uint32_t>(slot) - 1; }
  uint64_t Get(size_t at) const { return slots_[at].load(std::memory_order_relaxed); }
  void Set(size_t at, uint64_t slot) { slots_[at].store(slot, std::memory_order_relaxed); }

  // Multiplies and shifts, so that any number of slots will do.
  size_t Home(uint32_t tag) const { return tag * slots_.size() >> 32; }
  size_t Next(size_t at) const { return at + 1 == slots_.size() ? 0 : at + 1; }
  // Steps from one slot to another, round the end.
  size_t Distance(size_t from, size_t to) const { return to >= from ? to - from : to + slots_.size() - from; }
  size_t Position(uint32_t tag, uint32_t index) const;

  std::span<Slot> slots_;
};

}  // namespace credcache
