// The bound on what is under way: log-ons, elements of batches and requests of streams, and other calls. What comes
// above it is refused at once, so that no queue grows.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace credcache {

// Thread-safe.
class InFlight {
 public:
  explicit InFlight(int64_t limit) : limit_(limit) {}

  // A place, given back when destroyed.
  class Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(owner_, other.owner_);
      return *this;
    }
    ~Permit() {
      if (owner_ != nullptr) owner_->count_.fetch_sub(1, std::memory_order_relaxed);
    }
    // Whether there was one.
    explicit operator bool() const { return owner_ != nullptr; }

   private:
    friend class InFlight;
    explicit Permit(InFlight* owner) : owner_(owner) {}
    InFlight* owner_ = nullptr;
  };

  Permit TryAcquire() {
    if (count_.fetch_add(1, std::memory_order_relaxed) < limit_.load(std::memory_order_relaxed)) return Permit(this);
    count_.fetch_sub(1, std::memory_order_relaxed);
    return Permit();
  }

  // Holds for what comes from now on.
  void SetLimit(int64_t limit) { limit_.store(limit, std::memory_order_relaxed); }
  int64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> limit_;
  std::atomic<int64_t> count_{0};
};

}  // namespace credcache
