#include "base/secret_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/out_of_memory.h"
#include "base/secret.h"

namespace credcache {
namespace {

size_t RoundToPages(size_t size) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

#ifndef CREDCACHE_UNPROTECTED_MEMORY
// Null where the kernel lacks memfd_secret, or RLIMIT_MEMLOCK is used up.
void* MapMemfdSecret(size_t size) {
#ifdef SYS_memfd_secret
  const int fd = static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC));
  if (fd < 0) return nullptr;
  void* memory = MAP_FAILED;
  // The size is fixed by the first ftruncate, and the mapping must be shared.
  if (ftruncate(fd, static_cast<off_t>(size)) == 0) {
    memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  close(fd);
  return memory == MAP_FAILED ? nullptr : memory;
#else
  static_cast<void>(size);
  return nullptr;
#endif
}
#endif

}  // namespace

SecretMemory::SecretMemory(size_t size) : mapped_size_(RoundToPages(size)) {
  void* memory = nullptr;
#ifndef CREDCACHE_UNPROTECTED_MEMORY
  memory = MapMemfdSecret(mapped_size_);
  if (memory != nullptr) protection_ = Protection::kMemfdSecret;
#endif
  if (memory == nullptr) {
    memory = mmap(nullptr, mapped_size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) OutOfMemory();
#ifndef CREDCACHE_UNPROTECTED_MEMORY
    if (mlock(memory, mapped_size_) == 0 && madvise(memory, mapped_size_, MADV_DONTDUMP) == 0) {
      protection_ = Protection::kLocked;
    }
#endif
  }
  bytes_ = {static_cast<uint8_t*>(memory), size};
}

SecretMemory::~SecretMemory() {
  WipeMemory(bytes_.data(), bytes_.size());
  munmap(bytes_.data(), mapped_size_);
}

absl::string_view ProtectionName(SecretMemory::Protection protection) {
  switch (protection) {
    case SecretMemory::Protection::kMemfdSecret:
      return "memfd_secret";
    case SecretMemory::Protection::kLocked:
      return "mlock + MADV_DONTDUMP";
    case SecretMemory::Protection::kNone:
      break;
  }
  return "none";
}

void ForbidDumps() {
#ifndef CREDCACHE_UNPROTECTED_MEMORY
  prctl(PR_SET_DUMPABLE, 0);
#endif
}

}  // namespace credcache
