// The times in a directory's entries. Pure functions.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "backends/ldap_connection.h"

namespace credcache {

// Of an attribute in GeneralizedTime (RFC 4517, section 3.3.13), as directories write it: "20261124204452Z",
// "20261124204451.956790Z#...". To the second; nothing where there is none.
std::optional<absl::Time> GeneralizedTimeIn(const LdapEntry& entry, absl::string_view attribute);

// The directory's own stamp of the entry's password (Verdict::password_stamp): Active Directory's pwdLastSet, in
// 100 ns since 1601, or ppolicy's pwdChangedTime, in seconds since 1970; 0: neither is shown.
int64_t PasswordStampIn(const LdapEntry& entry);

}  // namespace credcache
