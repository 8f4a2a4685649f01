// Zeroed memory for tables that are met at random: in huge pages where the kernel gives them and the table fills one.
#pragma once

#include <cstddef>
#include <span>

namespace credcache {

// Owns the memory; the system's again when this goes. A page takes memory from when it is first written. Ends the
// process when there are no more addresses, as operator new does.
class HugeMemory {
 public:
  static constexpr size_t kPageSize = size_t{2} << 20;

  // The first huge page's beginning at or after that address.
  static char* FirstPage(void* mapping);

  explicit HugeMemory(size_t size);
  ~HugeMemory();
  HugeMemory(const HugeMemory&) = delete;
  HugeMemory& operator=(const HugeMemory&) = delete;

  // Of a T for which zeroes are a value, and no destructor is owed.
  template <typename T>
  std::span<T> As() const {
    return {static_cast<T*>(memory_), size_ / sizeof(T)};
  }
  size_t size() const { return size_; }

 private:
  size_t size_;
  void* mapping_;
  size_t mapping_size_;
  void* memory_;
};

}  // namespace credcache
