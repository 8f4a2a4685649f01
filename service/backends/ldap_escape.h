// Names as they may stand in LDAP filters (RFC 4515) and distinguished names (RFC 4514). Pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace credcache {

// `value` for a filter, as the value of an assertion: whatever it holds, it stays one value.
std::string EscapeFilterValue(absl::string_view value);

// `value` for a distinguished name, as the value of one attribute.
std::string EscapeDnValue(absl::string_view value);

// `text` with `escaped` in each place of {username}.
std::string ExpandUsername(absl::string_view text, absl::string_view escaped);

}  // namespace credcache
