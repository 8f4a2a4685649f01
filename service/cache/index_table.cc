#include "cache/index_table.h"

#include <cstring>

namespace credcache {

void IndexTable::Insert(uint32_t tag, uint32_t index) {
  size_t at = Home(tag);
  while (slots_[at].index_plus_1 != 0) at = Next(at);
  slots_[at] = {.tag = tag, .index_plus_1 = index + 1};
}

void IndexTable::Erase(uint32_t tag, uint32_t index) {
  size_t hole = Position(tag, index);
  // Closes the gap: whoever stands behind it and would not be found across it moves up (Knuth, TAOCP 3, 6.4, R).
  for (size_t at = Next(hole); slots_[at].index_plus_1 != 0; at = Next(at)) {
    if (Distance(Home(slots_[at].tag), at) >= Distance(hole, at)) {
      slots_[hole] = slots_[at];
      hole = at;
    }
  }
  slots_[hole] = {};
}

void IndexTable::Replace(uint32_t tag, uint32_t from, uint32_t to) {
  slots_[Position(tag, from)].index_plus_1 = to + 1;
}

void IndexTable::Clear() { std::memset(slots_.data(), 0, slots_.size_bytes()); }

size_t IndexTable::Position(uint32_t tag, uint32_t index) const {
  size_t at = Home(tag);
  while (slots_[at].index_plus_1 != index + 1) at = Next(at);
  return at;
}

}  // namespace credcache
