#include "base/utf8.h"

#include <utf8proc.h>

namespace credcache {

bool IsUtf8(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  utf8proc_int32_t codepoint = 0;
  for (utf8proc_ssize_t at = 0; at < size;) {
    const utf8proc_ssize_t length = utf8proc_iterate(bytes + at, size - at, &codepoint);
    if (length <= 0) return false;
    at += length;
  }
  return true;
}

}  // namespace credcache
