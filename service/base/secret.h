// Bytes that must not leak: passwords, keys, tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>

#include "absl/strings/string_view.h"

namespace credcache {

// Somebody else's secret bytes, not owned. A type of its own so that it is not printed, compared or copied by habit.
class SecretView {
 public:
  constexpr SecretView() = default;
  explicit constexpr SecretView(absl::string_view bytes) : bytes_(bytes) {}

  // The bytes, for the one place that needs them. Grep for `Expose` to see every such place.
  constexpr absl::string_view Expose() const { return bytes_; }
  constexpr size_t size() const { return bytes_.size(); }
  constexpr bool empty() const { return bytes_.empty(); }

  // In constant time for equal sizes.
  friend bool operator==(SecretView a, SecretView b);
  friend std::ostream& operator<<(std::ostream&, SecretView) = delete;

 private:
  absl::string_view bytes_;
};

// Owned secret bytes: wiped when destroyed or moved from, left out of core dumps as the whole process is, never
// printed. Followed by a NUL that is not counted, for C libraries. Movable, not copyable: whoever needs a second copy
// says so with Clone.
class Secret {
 public:
  Secret() = default;
  explicit Secret(SecretView bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  Secret Clone() const { return Secret(view()); }
  SecretView view() const;
  const char* c_str() const;
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;

 private:
  void Wipe();

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

// Overwrites `size` bytes in a way that the compiler keeps.
void WipeMemory(void* bytes, size_t size);

}  // namespace credcache
