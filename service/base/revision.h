// A position in the journal of invalidations.
#pragma once

#include <compare>
#include <cstdint>

namespace credcache {

// 0 is before the first invalidation; each has a larger one than the one before it.
class Revision {
 public:
  constexpr Revision() = default;
  explicit constexpr Revision(uint64_t value) : value_(value) {}
  constexpr uint64_t value() const { return value_; }
  friend constexpr auto operator<=>(Revision, Revision) = default;

 private:
  uint64_t value_ = 0;
};

// Where this replica stands: the last revision that has been applied here. What begins now (a flight) belongs to it.
class RevisionSource {
 public:
  virtual ~RevisionSource() = default;
  // Cheap; any thread.
  virtual Revision Applied() const = 0;
};

}  // namespace credcache
