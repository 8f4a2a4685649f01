// A password on its way to the service or into a hash.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace credcache::cli {

// Overwrites what `text` holds, its spare room too, and empties it.
void Wipe(std::string& text);

// Up to kCapacity bytes in memory that never moves and is wiped at the end. Movable, not copyable, not printable.
class Password {
 public:
  // More than the service takes (1,024), so that its own answer to a longer one can be seen.
  static constexpr size_t kCapacity = 4096;

  Password() : bytes_(new char[kCapacity + 1]()) {}
  Password(Password&& other) noexcept;
  Password& operator=(Password&& other) noexcept;
  ~Password();

  absl::string_view view() const { return {bytes_.get(), size_}; }
  // Ends with a NUL that is not counted.
  const char* c_str() const { return bytes_.get(); }
  bool empty() const { return size_ == 0; }

  // Where a reader may write next; then Grow by what it wrote.
  absl::Span<char> Room() { return {bytes_.get() + size_, kCapacity - size_}; }
  void Grow(size_t by) { size_ += by; }
  // Removes one line end, "\n" or "\r\n", from the end; false if there is none.
  bool ChompLineEnd();

 private:
  void WipeAll();

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

}  // namespace credcache::cli
