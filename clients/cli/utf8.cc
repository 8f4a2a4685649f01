#include "cli/utf8.h"

#include <utf8proc.h>

#include <string>

namespace credcache::cli {

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                                   static_cast<utf8proc_ssize_t>(text.size()), &code_point);
    if (size <= 0) return false;
    text.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

CLI::Validator Utf8() {
  // An empty description keeps it out of the help.
  return {[](std::string& text) { return IsUtf8(text) ? std::string() : std::string("is not UTF-8"); }, "", "utf8"};
}

}  // namespace credcache::cli
