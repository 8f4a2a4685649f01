// A hash table from 32-bit tags to the indices of records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace credcache {

// No record.
inline constexpr uint32_t kNoIndex = std::numeric_limits<uint32_t>::max();

// Open addressing with linear probing: eight bytes a slot, and a look-up touches one cache line as a rule before it
// goes to the record. Tags must be uniform already (parts of a hash); one tag may stand several times, for different
// indices.
//
// It never grows: that would be an allocation, and a long one, under its bucket's lock. Not thread-safe.
class IndexTable {
 public:
  struct Slot {
    uint32_t tag;
    uint32_t index_plus_1;  // 0: the slot is empty
  };

  // How many slots `capacity` indices need: a fifth of them stays empty, so that probes are short.
  static size_t SlotsFor(int64_t capacity) { return static_cast<size_t>(capacity + capacity / 4 + 1); }

  // `slots`: zeroed; outlive the table.
  explicit IndexTable(std::span<Slot> slots) : slots_(slots) {}

  // The first index under `tag` for which `matches(index)` holds, or kNoIndex.
  template <typename Matches>
  uint32_t Find(uint32_t tag, const Matches& matches) const {
    for (size_t at = Home(tag); slots_[at].index_plus_1 != 0; at = Next(at)) {
      if (slots_[at].tag == tag && matches(slots_[at].index_plus_1 - 1)) return slots_[at].index_plus_1 - 1;
    }
    return kNoIndex;
  }

  // At most as many as the slots were made for.
  void Insert(uint32_t tag, uint32_t index);
  // Those that must be there:
  void Erase(uint32_t tag, uint32_t index);
  void Replace(uint32_t tag, uint32_t from, uint32_t to);
  void Clear();

  size_t heap_size() const { return slots_.size_bytes(); }

 private:
  // Multiplies and shifts, so that any number of slots will do.
  size_t Home(uint32_t tag) const { return tag * slots_.size() >> 32; }
  size_t Next(size_t at) const { return at + 1 == slots_.size() ? 0 : at + 1; }
  // Steps from one slot to another, round the end.
  size_t Distance(size_t from, size_t to) const { return to >= from ? to - from : to + slots_.size() - from; }
  size_t Position(uint32_t tag, uint32_t index) const;

  std::span<Slot> slots_;
};

}  // namespace credcache
