#include "base/huge_memory.h"

#include <sys/mman.h>

#include <cstdint>

#include "base/out_of_memory.h"

namespace credcache {

HugeMemory::HugeMemory(size_t size) : size_(size), mapping_size_(size + kPageSize) {
  mapping_ = mmap(nullptr, mapping_size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping_ == MAP_FAILED) OutOfMemory();
  memory_ = FirstPage(mapping_);
  // A wish: where there are no huge pages, everything works the same, only slower. What is left over at the end stays
  // in small pages.
  madvise(memory_, size_ / kPageSize * kPageSize, MADV_HUGEPAGE);
}

char* HugeMemory::FirstPage(void* mapping) {
  return static_cast<char*>(mapping) + (kPageSize - reinterpret_cast<uintptr_t>(mapping) % kPageSize) % kPageSize;
}

HugeMemory::~HugeMemory() { munmap(mapping_, mapping_size_); }

}  // namespace credcache
