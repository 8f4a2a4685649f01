// What memory really takes, for honest accounts of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

namespace credcache {

// Bytes that glibc's malloc takes for `size` requested: 8 of its own before them, in steps of 16, at least 32.
constexpr size_t HeapSize(size_t size) { return size == 0 ? 0 : std::max<size_t>(32, (size + 8 + 15) / 16 * 16); }

// Of a string's text, where it is too long to lie in the string itself.
inline size_t TextHeapSize(const std::string& text) {
  return text.capacity() <= std::string().capacity() ? 0 : HeapSize(text.capacity() + 1);
}

// Of one of Abseil's flat tables: for each place a byte of control and a slot, and 16 bytes more.
template <typename Table>
size_t FlatTableHeapSize(const Table& table) {
  return table.capacity() == 0 ? 0 : HeapSize(table.capacity() * (1 + sizeof(typename Table::value_type)) + 16);
}

}  // namespace credcache
