// The streams that are open, so that a drain can tell each to come to an end.
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace credcache {

class DrainableStream {
 public:
  virtual ~DrainableStream() = default;
  // Stop reading, answer what was read, end with OK. Any thread; called at most once.
  virtual void BeginDrain() = 0;
};

// Thread-safe.
class StreamRegistry {
 public:
  // A stream that opens while the registry drains is drained at once.
  void Add(const std::shared_ptr<DrainableStream>& stream);
  void Remove(const DrainableStream* stream);
  void BeginDrain();

 private:
  absl::Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<const DrainableStream*, std::weak_ptr<DrainableStream>> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
