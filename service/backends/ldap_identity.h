// From a directory's entry to an Identity. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/ldap_connection.h"
#include "base/names.h"
#include "validator/validator.h"

namespace credcache {

struct LdapIdentityRules {
  std::string realm;  // for the subject of who has none: REALM/USERNAME
  CaseRule case_rule = CaseRule::kFold;
  std::string username;                 // the attribute of the canonical name; empty: the name that was asked
  std::string groups;                   // the attribute of the groups; empty: none
  std::vector<std::string> attributes;  // those that go into the identity
  bool password_stamp = false;          // whether anybody wants to know when the password was last changed
};

// The attributes to ask for.
std::vector<std::string> AttributesToRead(const LdapIdentityRules& rules);

// What an account's locator holds: where its entry is, and the stamp of its password when that was read
// (PasswordStampIn), since an Account has no other place for it.
struct LdapLocator {
  std::string dn;
  int64_t password_stamp = 0;

  std::string Text() const;
  // Of a Text; an empty one: an empty DN.
  static LdapLocator Of(absl::string_view text);
};

// Whose entry it is, with an LdapLocator's text as locator. `asked` is the name where the entry tells no other.
// UNAVAILABLE when the entry is over a limit of limits.h: what is more is not cut off.
//
// Of several canonical names it is the least, so that it is the same whichever was asked. Of several values of an
// attribute it is the first. Values that are not UTF-8 are left out.
absl::StatusOr<Account> AccountOf(const LdapEntry& entry, const LdapIdentityRules& rules, const Username& asked);

// The identity with these groups in place of its own. UNAVAILABLE as AccountOf.
absl::StatusOr<Identity> WithGroups(const Identity& identity, std::vector<std::string> groups);

// An identity of what is known without an entry.
Identity PlainIdentity(const LdapIdentityRules& rules, const Username& name);

// Active Directory's objectGUID as people write it: the first three fields are little-endian. Empty unless 16 bytes.
std::string GuidText(absl::string_view bytes);

}  // namespace credcache
