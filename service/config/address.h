// Hosts and ports as text.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "config/config.h"

namespace credcache {

// "127.0.0.1:50051", "[::1]:50051", "localhost:0". Nothing for what has no host, no port, or a host that is neither an
// IP address nor a name of letters, digits, dots, hyphens and underscores.
std::optional<ListenAddress> ParseAddress(absl::string_view text);

}  // namespace credcache
