// Memory for blocks that are many and small, live long, and are met at random: the entries of the cache.
//
// Blocks of one size lie side by side, in huge pages where the kernel gives them: in 4 KiB pages a look-up among a
// million entries waits for page tables as long as for data. A block is named by its address, or by a handle of half
// the size (docs/adr/0005-entries-in-huge-pages.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace credcache {

// Thread-safe. What is freed is kept for blocks of the same size, and never goes back to the system. Ends the process
// when there is no more memory, as operator new does.
class BlockPool {
 public:
  using Handle = uint32_t;

  static constexpr size_t kUnit = 16;
  static constexpr size_t kMaxSize = 2048;

  // The process's own, which is never destroyed: whoever holds a block need not know who made it.
  static BlockPool& Global();

  // `size`: 1..kMaxSize. Aligned to kUnit.
  void* Allocate(size_t size);
  // `size` is what it was allocated with.
  void Free(void* block, size_t size);

  // What a block of `size` takes.
  static constexpr size_t BlockSize(size_t size) { return (size + kUnit - 1) / kUnit * kUnit; }

  Handle HandleOf(const void* block) const {
    return static_cast<Handle>((static_cast<const char*>(block) - base_) / kUnit);
  }
  void* Address(Handle handle) const { return base_ + size_t{handle} * kUnit; }

  // Bytes of all blocks that are allocated now.
  int64_t in_use() const;

 private:
  struct FreeBlock {
    FreeBlock* next;
  };
  // Of the blocks of one size.
  struct Class {
    mutable absl::Mutex mutex;
    FreeBlock* free ABSL_GUARDED_BY(mutex) = nullptr;
    char* fresh ABSL_GUARDED_BY(mutex) = nullptr;  // what is left of the last piece
    size_t fresh_size ABSL_GUARDED_BY(mutex) = 0;
    int64_t allocated ABSL_GUARDED_BY(mutex) = 0;  // blocks
  };

  BlockPool();
  Class& ClassOf(size_t size) { return classes_[BlockSize(size) / kUnit - 1]; }
  // Memory for a class to cut into blocks.
  char* TakePiece();

  char* base_ = nullptr;  // of a range of addresses reserved once, so that handles are differences
  size_t reserved_ = 0;
  std::array<Class, kMaxSize / kUnit> classes_;
  absl::Mutex mutex_;
  size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t committed_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace credcache
