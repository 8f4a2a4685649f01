// What a search filter (RFC 4515) rests on. A pure function.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace credcache {

struct FilterAttributes {
  std::vector<std::string> all;    // every attribute that it looks at
  std::vector<std::string> names;  // those that it compares with {username}, and nothing else
};

// Of a valid filter; each attribute as it is written, maybe more than once.
FilterAttributes AttributesOf(absl::string_view filter);

}  // namespace credcache
