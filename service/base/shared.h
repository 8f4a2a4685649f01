// An 8-byte std::shared_ptr<const T>, for where a million of them count.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace credcache {

// A handle to an immutable value that its copies share. Thread-safe as std::shared_ptr is: different handles may be
// used at once.
template <typename T>
class Shared {
 public:
  Shared() = default;
  explicit Shared(T value) : node_(new Node{.value = std::move(value)}) {}
  Shared(const Shared& other) noexcept : node_(other.node_) {
    if (node_ != nullptr) node_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Shared() {
    if (node_ != nullptr && node_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete node_;
  }

  explicit operator bool() const { return node_ != nullptr; }
  const T& operator*() const { return node_->value; }
  const T* operator->() const { return &node_->value; }
  const T* get() const { return node_ == nullptr ? nullptr : &node_->value; }
  // Whether this is the only handle. Means something only where nobody else can copy it meanwhile.
  bool unique() const { return node_ != nullptr && node_->references.load(std::memory_order_acquire) == 1; }

 private:
  struct Node {
    std::atomic<uint32_t> references{1};
    T value;
  };
  Node* node_ = nullptr;
};

}  // namespace credcache
