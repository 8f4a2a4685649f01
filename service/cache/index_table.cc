#include "cache/index_table.h"

#include <utility>

namespace credcache {
namespace {

constexpr uint32_t kFirstSlots = 8;

}  // namespace

IndexTable::IndexTable() : slots_(kFirstSlots), mask_(kFirstSlots - 1) {}

void IndexTable::Insert(uint32_t tag, uint32_t index) {
  // Three quarters full at most: at worst 21 bytes an index, just after growing, and short probes just before.
  if ((size_ + 1) * uint64_t{4} > slots_.size() * uint64_t{3}) Grow();
  uint32_t at = tag & mask_;
  while (slots_[at].index != kNoIndex) at = (at + 1) & mask_;
  slots_[at] = {.tag = tag, .index = index};
  ++size_;
}

void IndexTable::Erase(uint32_t tag, uint32_t index) {
  uint32_t hole = Position(tag, index);
  // Closes the gap: whoever stands behind it and would not be found across it moves up (Knuth, TAOCP 3, 6.4, R).
  for (uint32_t at = (hole + 1) & mask_; slots_[at].index != kNoIndex; at = (at + 1) & mask_) {
    const uint32_t home = slots_[at].tag & mask_;
    if (((at - home) & mask_) >= ((at - hole) & mask_)) {
      slots_[hole] = slots_[at];
      hole = at;
    }
  }
  slots_[hole] = {};
  --size_;
}

void IndexTable::Replace(uint32_t tag, uint32_t from, uint32_t to) { slots_[Position(tag, from)].index = to; }

uint32_t IndexTable::Position(uint32_t tag, uint32_t index) const {
  uint32_t at = tag & mask_;
  while (slots_[at].index != index) at = (at + 1) & mask_;
  return at;
}

void IndexTable::Grow() {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
  mask_ = static_cast<uint32_t>(slots_.size() - 1);
  size_ = 0;
  for (const Slot& slot : old) {
    if (slot.index != kNoIndex) Insert(slot.tag, slot.index);
  }
}

}  // namespace credcache
