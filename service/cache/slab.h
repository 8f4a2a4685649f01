// Fixed-size records in chunks, named by 32-bit indices: half a pointer each, and no allocation for most of them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "cache/heap_size.h"
#include "cache/index_table.h"

namespace credcache {

// A chunk of entries is 5 KiB: little for a bucket of a few, and few chunks for one of many.
inline constexpr uint32_t kSlabChunkSize = 64;

// Each record has two parts: `Hot`, what a look-up reads, so that one cache line answers it; and `Cold`, the rest. Hot
// has a flag `used`, which the slab keeps, and Cold an index `newer`, which the slab uses while the record is free.
//
// Records never move. Not thread-safe.
template <typename Hot, typename Cold>
class Slab {
 public:
  // An unused record, both parts fresh but for `used`. Allocates memory where none is free.
  uint32_t Allocate() {
    if (free_ == kNoIndex) AddChunk();
    const uint32_t index = free_;
    free_ = cold(index).newer;
    hot(index) = Hot{};
    hot(index).used = true;
    cold(index) = Cold{};
    ++size_;
    return index;
  }

  void Free(uint32_t index) {
    hot(index) = Hot{};
    cold(index).newer = free_;
    free_ = index;
    --size_;
  }

  Hot& hot(uint32_t index) { return chunks_[index / kSlabChunkSize]->hot[index % kSlabChunkSize]; }
  const Hot& hot(uint32_t index) const { return chunks_[index / kSlabChunkSize]->hot[index % kSlabChunkSize]; }
  Cold& cold(uint32_t index) { return chunks_[index / kSlabChunkSize]->cold[index % kSlabChunkSize]; }
  const Cold& cold(uint32_t index) const { return chunks_[index / kSlabChunkSize]->cold[index % kSlabChunkSize]; }

  int64_t size() const { return size_; }
  uint32_t chunks() const { return static_cast<uint32_t>(chunks_.size()); }
  size_t heap_size() const {
    return HeapSize(chunks_.capacity() * sizeof(chunks_[0])) + chunks_.size() * HeapSize(sizeof(Chunk));
  }

 private:
  struct Chunk {
    std::array<Hot, kSlabChunkSize> hot;
    std::array<Cold, kSlabChunkSize> cold;
  };

  void AddChunk() {
    const auto first = static_cast<uint32_t>(chunks_.size()) * kSlabChunkSize;
    chunks_.push_back(std::make_unique<Chunk>());
    for (uint32_t i = kSlabChunkSize; i-- > 0;) {
      cold(first + i).newer = free_;
      free_ = first + i;
    }
  }

  std::vector<std::unique_ptr<Chunk>> chunks_;
  uint32_t free_ = kNoIndex;  // the first of a list by `newer`
  int64_t size_ = 0;
};

}  // namespace credcache
