#include "cache/index_table.h"

namespace credcache {

void IndexTable::Insert(uint32_t tag, uint32_t index) {
  size_t at = Home(tag);
  while (Get(at) != 0) at = Next(at);
  Set(at, MakeSlot(tag, index));
}

void IndexTable::Erase(uint32_t tag, uint32_t index) {
  size_t hole = Position(tag, index);
  // Closes the gap: whoever stands behind it and would not be found across it moves up (Knuth, TAOCP 3, 6.4, R).
  for (size_t at = Next(hole);; at = Next(at)) {
    const uint64_t slot = Get(at);
    if (slot == 0) break;
    if (Distance(Home(TagOf(slot)), at) >= Distance(hole, at)) {
      Set(hole, slot);
      hole = at;
    }
  }
  Set(hole, 0);
}

void IndexTable::Replace(uint32_t tag, uint32_t from, uint32_t to) { Set(Position(tag, from), MakeSlot(tag, to)); }

void IndexTable::Clear() {
  for (Slot& slot : slots_) slot.store(0, std::memory_order_relaxed);
}

size_t IndexTable::Position(uint32_t tag, uint32_t index) const {
  size_t at = Home(tag);
  while (Get(at) != MakeSlot(tag, index)) at = Next(at);
  return at;
}

}  // namespace credcache
