// A copy for each processor of what every request touches, so that none waits for another's cache line. Counting, for
// one, is a relaxed atomic addition in a line that other processors leave alone (ADR 0004).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace credcache {

// A number that only grows. Thread-safe. Orders nothing: a reader may see two of them at different moments.
class Count {
 public:
  void Add(uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  uint64_t Read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// How many copies Striped keeps: a power of two, at least the machine's processors, at most 64.
size_t Stripes();
// The copy of the processor that the caller runs on, below Stripes(). A thread that is moved meanwhile still counts
// correctly, only less quickly.
size_t CurrentStripe();

// A T for each processor: of Counts, where writers use Local, and readers add all of them up; of handles, where readers
// use Local, and writers exchange all of them (current.h).
template <typename T>
class Striped {
 public:
  T& Local() { return slots_[CurrentStripe()].value; }
  const T& Local() const { return slots_[CurrentStripe()].value; }

  template <typename Visitor>
  void ForEach(Visitor visit) {
    for (size_t i = 0; i < Stripes(); ++i) visit(slots_[i].value);
  }
  template <typename Visitor>
  void ForEach(Visitor visit) const {
    for (size_t i = 0; i < Stripes(); ++i) visit(std::as_const(slots_[i].value));
  }

 private:
  struct alignas(64) Slot {
    T value;
  };
  std::unique_ptr<Slot[]> slots_ = std::make_unique<Slot[]>(Stripes());
};

}  // namespace credcache
