// Distinguished names (RFC 4514), compared. Pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace credcache {

// A DN in one of the many ways to write it. Not fit for sending: case is lost.
std::string ComparableDn(const std::string& dn);

// Whether it is `base` or lies below it.
bool IsBelow(const std::string& dn, const std::string& base);

// Of an extended DN (MS-ADTS, 3.1.1.3.4.1.5: "<GUID=...>;<SID=...>;cn=alice"), the DN; another is one already.
std::string PlainDn(absl::string_view dn);
// Its GUID, as it is written there; empty: there is none.
std::string GuidInDn(absl::string_view dn);

}  // namespace credcache
