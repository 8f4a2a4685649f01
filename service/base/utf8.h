#pragma once

#include "absl/strings/string_view.h"

namespace credcache {

// Whether `text` is UTF-8, as protobuf wants its strings.
bool IsUtf8(absl::string_view text);

}  // namespace credcache
