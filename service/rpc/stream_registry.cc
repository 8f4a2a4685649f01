#include "rpc/stream_registry.h"

#include <utility>
#include <vector>

namespace credcache {

void StreamRegistry::Add(const std::shared_ptr<DrainableStream>& stream) {
  {
    absl::MutexLock lock(&mutex_);
    if (!draining_) {
      streams_.emplace(stream.get(), stream);
      return;
    }
  }
  stream->BeginDrain();
}

void StreamRegistry::Remove(const DrainableStream* stream) {
  absl::MutexLock lock(&mutex_);
  streams_.erase(stream);
}

void StreamRegistry::BeginDrain() {
  std::vector<std::shared_ptr<DrainableStream>> streams;
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
    for (const auto& [key, stream] : streams_) {
      if (std::shared_ptr<DrainableStream> alive = stream.lock()) streams.push_back(std::move(alive));
    }
    streams_.clear();
  }
  for (const auto& stream : streams) stream->BeginDrain();
}

}  // namespace credcache
