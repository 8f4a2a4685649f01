// Memory for keys: out of reach of other processes, core dumps and swap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"

namespace credcache {

// A small, fixed piece of zeroed memory. memfd_secret(2) where the kernel has it: not even root reads it through
// /proc/PID/mem or process_vm_readv. Elsewhere mlock(2) and MADV_DONTDUMP. Wiped and unmapped at destruction. Not to be
// used across fork.
class SecretMemory {
 public:
  enum class Protection : uint8_t { kMemfdSecret, kLocked, kNone };

  // Never fails: what the kernel refuses, protection() says.
  explicit SecretMemory(size_t size);
  ~SecretMemory();
  SecretMemory(const SecretMemory&) = delete;
  SecretMemory& operator=(const SecretMemory&) = delete;

  std::span<uint8_t> bytes() { return bytes_; }
  std::span<const uint8_t> bytes() const { return bytes_; }
  Protection protection() const { return protection_; }

 private:
  std::span<uint8_t> bytes_;
  size_t mapped_size_ = 0;
  Protection protection_ = Protection::kNone;
};

// "memfd_secret", "mlock + MADV_DONTDUMP", "none".
absl::string_view ProtectionName(SecretMemory::Protection protection);

// Makes the process undumpable: no core file, no ptrace and no /proc/PID/mem for other processes of the same user. Not
// with CREDCACHE_UNPROTECTED_MEMORY (a test build).
void ForbidDumps();

}  // namespace credcache
