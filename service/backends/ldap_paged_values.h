// The values of RFC 2696's control (results in pages). Pure functions over bytes.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace credcache {

// Of a request for the next so many entries; an empty `cookie`: for the first ones.
std::string PagedRequestValue(int size, absl::string_view cookie);

// Of an answer: the cookie for the next page; empty: this was the last one.
absl::StatusOr<std::string> ParsePagedCookie(absl::string_view value);

}  // namespace credcache
