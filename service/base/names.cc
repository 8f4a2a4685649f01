#include "base/names.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstring>

namespace credcache {
namespace {

bool IsSpace(utf8proc_int32_t codepoint) {
  switch (utf8proc_category(codepoint)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return true;
    default:
      return false;
  }
}

// Controls, and what shows as nothing or turns text round: a name with them looks like another name.
bool IsForbidden(utf8proc_int32_t codepoint) {
  switch (utf8proc_category(codepoint)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return true;
    default:
      return false;
  }
}

// Eight characters at a time, each in its byte of a word: names are on the way of every log-on. No sum below reaches
// the next byte, as long as all bytes are ASCII.
constexpr uint64_t EachByte(uint8_t byte) { return byte * uint64_t{0x0101010101010101}; }
constexpr uint64_t kHighBits = EachByte(0x80);

constexpr bool IsPrintableAscii(uint64_t word) {
  const bool ascii = (word & kHighBits) == 0;
  const bool no_control = ((word + EachByte(0x80 - ' ')) & kHighBits) == kHighBits;
  const bool no_delete = ((word + EachByte(0x80 - 0x7f)) & kHighBits) == 0;
  return ascii && no_control && no_delete;
}

constexpr uint64_t FoldAscii(uint64_t word) {
  const uint64_t from_a = word + EachByte(0x80 - 'A');
  const uint64_t past_z = word + EachByte(0x80 - 'Z' - 1);
  return word + ((from_a & ~past_z & kHighBits) >> 2);  // 0x80 >> 2 is what lies between 'A' and 'a'
}

// Whether `name` is printable ASCII; then `to` has it, folded if `rule` says so.
bool NormalizeAscii(absl::string_view name, CaseRule rule, char* to) {
  constexpr size_t kWord = sizeof(uint64_t);
  const auto normalize = [&](size_t at, size_t size) {
    uint64_t word = EachByte(' ');
    std::memcpy(&word, name.data() + at, size);
    if (!IsPrintableAscii(word)) return false;
    if (rule == CaseRule::kFold) word = FoldAscii(word);
    std::memcpy(to + at, &word, size);
    return true;
  };
  if (name.size() < kWord) return normalize(0, name.size());
  // The last word may overlap the one before.
  const size_t last = name.size() - kWord;
  for (size_t at = 0; at < last; at += kWord) {
    if (!normalize(at, kWord)) return false;
  }
  return normalize(last, kWord);
}

}  // namespace

absl::StatusOr<Username> Username::Normalize(absl::string_view name, CaseRule rule) {
  absl::StatusOr<Username> result(absl::in_place);
  if (absl::Status status = Normalize(name, rule, *result); !status.ok()) return status;
  return result;
}

absl::Status Username::Normalize(absl::string_view name, CaseRule rule, Username& result) {
  if (name.empty()) return absl::InvalidArgumentError("is empty");
  if (name.size() > kMaxUsernameSize) return absl::InvalidArgumentError("is longer than 256 bytes");

  // Nearly every name is printable ASCII, for which NFC changes nothing and folding is lower case.
  if (NormalizeAscii(name, rule, result.bytes_.data())) {
    if (name.front() == ' ' || name.back() == ' ') return absl::InvalidArgumentError("has a leading or trailing space");
    result.size_ = static_cast<uint16_t>(name.size());
    return absl::OkStatus();
  }

  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(name.data());
  const auto size = static_cast<utf8proc_ssize_t>(name.size());
  for (utf8proc_ssize_t at = 0; at < size;) {
    utf8proc_int32_t codepoint = 0;
    const utf8proc_ssize_t length = utf8proc_iterate(bytes + at, size - at, &codepoint);
    if (length <= 0) return absl::InvalidArgumentError("is not valid UTF-8");
    if (IsForbidden(codepoint)) return absl::InvalidArgumentError("has a control or invisible character");
    if ((at == 0 || at + length == size) && IsSpace(codepoint)) {
      return absl::InvalidArgumentError("has a leading or trailing space");
    }
    at += length;
  }

  // A code point decomposes into at most 18 (UAX #15), but no name that stays within 256 bytes needs that; +1 is for
  // reencode's NUL.
  std::array<utf8proc_int32_t, kMaxUsernameSize * 4 + 1> decomposed;
  int options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
  if (rule == CaseRule::kFold) options |= UTF8PROC_CASEFOLD;
  const auto decompose_options = static_cast<utf8proc_option_t>(options);
  const utf8proc_ssize_t count =
      utf8proc_decompose(bytes, size, decomposed.data(), decomposed.size() - 1, decompose_options);
  if (count < 0) return absl::InvalidArgumentError("is not valid UTF-8");
  if (count > static_cast<utf8proc_ssize_t>(decomposed.size() - 1)) {
    return absl::InvalidArgumentError("is longer than 256 bytes after normalisation");
  }
  const utf8proc_ssize_t encoded = utf8proc_reencode(decomposed.data(), count, decompose_options);
  if (encoded <= 0) return absl::InvalidArgumentError("is not valid UTF-8");
  if (encoded > static_cast<utf8proc_ssize_t>(kMaxUsernameSize)) {
    return absl::InvalidArgumentError("is longer than 256 bytes after normalisation");
  }
  std::memcpy(result.bytes_.data(), decomposed.data(), static_cast<size_t>(encoded));
  result.size_ = static_cast<uint16_t>(encoded);
  return absl::OkStatus();
}

}  // namespace credcache
