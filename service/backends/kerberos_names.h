// From a user's name to a principal that is that user's and nobody else's.
#pragma once

#include "absl/strings/string_view.h"

namespace credcache {

// Whether `name` can be the one component of a user's principal. Not with `/` (an instance: alice/admin is another
// principal, with other rights, and nobody's mailbox), `@` (another realm) or `\` (which escapes either in what is
// written). All else stands for itself: the name goes to the KDC as one component, and is never parsed.
bool IsPrincipalComponent(absl::string_view name);

// Whether a password can be one of Kerberos': libkrb5 takes it as a C string, so one with a NUL would be cut there, and
// its beginning be as good as all of it.
bool IsKerberosPassword(absl::string_view password);

}  // namespace credcache
