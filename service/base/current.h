// The value in force of what is exchanged as a whole now and then, and read for every request: realms, callers.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "base/striped.h"

namespace credcache {

// Thread-safe, but for two Sets at once. Each processor has a handle of its own, with a count of its own: readers on
// different ones share no memory that is written. While Set runs, some may see the new value and others still the one
// before; when it has returned, all see the new one.
template <typename T>
class Current {
 public:
  // Nothing, until the first Set.
  Current() = default;
  explicit Current(std::shared_ptr<const T> value) { Set(std::move(value)); }

  // Readers keep the value that they began with for as long as they like.
  std::shared_ptr<const T> Get() const { return handles_.Local().load(std::memory_order_acquire); }

  // `value` is held, once, by each handle that is in use.
  void Set(std::shared_ptr<const T> value) {
    handles_.ForEach([&value](Handle& handle) {
      const auto own = std::make_shared<const std::shared_ptr<const T>>(value);
      handle.store(std::shared_ptr<const T>(own, value.get()), std::memory_order_release);
    });
  }

 private:
  using Handle = std::atomic<std::shared_ptr<const T>>;
  Striped<Handle> handles_;
};

}  // namespace credcache
