// The hash that made-up names cost, where nobody can say which is the commonest of a whole directory.
#pragma once

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "backends/password_hash.h"

namespace credcache {

// Thread-safe.
class TypicalHash {
 public:
  // A user's hash was seen.
  void Note(const PasswordHash& hash);
  // One that costs what most of those seen did; before the first, PasswordHash::Placeholder.
  PasswordHash Get() const;

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, uint64_t> counts_ ABSL_GUARDED_BY(mutex_);  // by PasswordHash::cost
  PasswordHash commonest_ ABSL_GUARDED_BY(mutex_) = PasswordHash::Placeholder();
};

}  // namespace credcache
