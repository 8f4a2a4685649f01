#include "base/block_pool.h"

#include <sys/mman.h>

#include <cstdint>

#include "base/huge_memory.h"
#include "base/out_of_memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define CREDCACHE_POISON(block, size) ASAN_POISON_MEMORY_REGION(block, size)
#define CREDCACHE_UNPOISON(block, size) ASAN_UNPOISON_MEMORY_REGION(block, size)
#endif
#endif
#ifndef CREDCACHE_POISON
#define CREDCACHE_POISON(block, size) static_cast<void>(size)
#define CREDCACHE_UNPOISON(block, size) static_cast<void>(size)
#endif

namespace credcache {
namespace {

// All that handles can name: addresses only, which cost nothing until they are used.
constexpr size_t kReserved = (size_t{1} << 32) * BlockPool::kUnit;
constexpr size_t kLeastReserved = size_t{1} << 30;
constexpr size_t kPiece = size_t{64} << 10;

}  // namespace

BlockPool& BlockPool::Global() {
  static auto& pool = *new BlockPool();
  return pool;
}

BlockPool::BlockPool() {
  // Less where the process's addresses are limited (ulimit -v).
  for (reserved_ = kReserved; reserved_ >= kLeastReserved; reserved_ /= 2) {
    void* range =
        mmap(nullptr, reserved_ + HugeMemory::kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) continue;
    base_ = HugeMemory::FirstPage(range);
    return;
  }
  OutOfMemory();
}

void* BlockPool::Allocate(size_t size) {
  const size_t block_size = BlockSize(size);
  Class& blocks = ClassOf(size);
  absl::MutexLock lock(&blocks.mutex);
  ++blocks.allocated;
  if (FreeBlock* block = blocks.free; block != nullptr) {
    CREDCACHE_UNPOISON(block, block_size);
    blocks.free = block->next;
    return block;
  }
  if (blocks.fresh_size < block_size) {
    blocks.fresh = TakePiece();
    blocks.fresh_size = kPiece;
  }
  char* block = blocks.fresh;
  blocks.fresh += block_size;
  blocks.fresh_size -= block_size;
  return block;
}

void BlockPool::Free(void* block, size_t size) {
  Class& blocks = ClassOf(size);
  absl::MutexLock lock(&blocks.mutex);
  --blocks.allocated;
  auto* free = static_cast<FreeBlock*>(block);
  free->next = blocks.free;
  blocks.free = free;
  CREDCACHE_POISON(block, BlockSize(size));
}

char* BlockPool::TakePiece() {
  absl::MutexLock lock(&mutex_);
  if (taken_ == committed_) {
    if (committed_ + HugeMemory::kPageSize > reserved_) OutOfMemory();
    char* page = base_ + committed_;
    if (mprotect(page, HugeMemory::kPageSize, PROT_READ | PROT_WRITE) != 0) OutOfMemory();
    // A wish: where there are no huge pages, everything works the same, only slower.
    madvise(page, HugeMemory::kPageSize, MADV_HUGEPAGE);
    committed_ += HugeMemory::kPageSize;
  }
  char* piece = base_ + taken_;
  taken_ += kPiece;
  return piece;
}

int64_t BlockPool::in_use() const {
  int64_t bytes = 0;
  for (size_t i = 0; i < classes_.size(); ++i) {
    absl::MutexLock lock(&classes_[i].mutex);
    bytes += classes_[i].allocated * static_cast<int64_t>((i + 1) * kUnit);
  }
  return bytes;
}

}  // namespace credcache
