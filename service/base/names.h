// Names of realms and users: what is allowed, and the one form in which they are compared.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/limits.h"

namespace credcache {

enum class CaseRule : uint8_t { kFold, kSensitive };

// A username after normalisation: UTF-8, NFC, 1..256 bytes, no controls, no leading or trailing space, case-folded
// where the realm says so. Holds its bytes itself, so that a look-up allocates nothing.
class Username {
 public:
  Username() = default;
  // Copies what is used of the bytes.
  Username(const Username& other) : size_(other.size_) { CopyBytes(other); }
  Username& operator=(const Username& other) {
    if (this == &other) return *this;
    size_ = other.size_;
    CopyBytes(other);
    return *this;
  }
  ~Username() = default;

  // INVALID_ARGUMENT, with a text that says what is wrong and never repeats the name, for: empty, over 256 bytes before
  // or after normalisation, not UTF-8, a control character (NUL too), a leading or trailing space. Unicode: NFC (UAX
  // #15), full case folding.
  static absl::StatusOr<Username> Normalize(absl::string_view name, CaseRule rule);
  // The same, into a name that is there: saves a copy on the way of every log-on. After an error it holds nothing of
  // use.
  static absl::Status Normalize(absl::string_view name, CaseRule rule, Username& result);

  absl::string_view view() const { return {bytes_.data(), size_}; }
  friend bool operator==(const Username& a, const Username& b) { return a.view() == b.view(); }

  template <typename H>
  friend H AbslHashValue(H h, const Username& name) {
    return H::combine(std::move(h), name.view());
  }

 private:
  // Of a usual size: without a call.
  static constexpr size_t kShort = 32;
  void CopyBytes(const Username& other) {
    std::memcpy(bytes_.data(), other.bytes_.data(), size_ <= kShort ? kShort : kMaxUsernameSize);
  }

  std::array<char, kMaxUsernameSize> bytes_;  // NOLINT: filled up to size_
  uint16_t size_ = 0;
};

// A realm's number in this process, given in order of first mention (RealmIds), never given again.
enum class RealmId : uint16_t {};

}  // namespace credcache
