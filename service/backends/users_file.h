// The users file's format (api.md, section 2) as a pure function over its text:
//
//   # a comment
//   username:hash[:key=value,...]
//
// Keys: `groups=a;b`, `disabled`, `expires=YYYY-MM-DD` (from the first moment of that day on, UTC, as in shadow(5)).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "backends/password_hash.h"
#include "base/identity.h"
#include "base/names.h"
#include "base/shared.h"

namespace credcache {

inline constexpr size_t kMaxUsersFileSize = size_t{64} << 20;
inline constexpr size_t kMaxUsersFileUsers = 1'000'000;
inline constexpr size_t kMaxUsersFileLineSize = size_t{64} << 10;
// More bad lines than these are counted, not described.
inline constexpr size_t kMaxUsersFileErrors = 100;

struct User {
  std::optional<PasswordHash> hash;  // nothing: the line is bad, no password is right
  Shared<IdentityDetails> details;   // the groups; equal ones are shared
  bool disabled = false;
  absl::Time expires = absl::InfiniteFuture();

  friend bool operator==(const User& a, const User& b);
};

struct UsersFileError {
  size_t line;  // from 1
  std::string text;
};

// Immutable once parsed.
struct UsersFile {
  // By normalised name. A name that is there twice has no hash: which line counts is anybody's guess.
  absl::flat_hash_map<std::string, User> users;
  std::vector<UsersFileError> errors;                    // the first kMaxUsersFileErrors
  size_t bad_lines = 0;                                  // all of them
  PasswordHash commonest = PasswordHash::Placeholder();  // a hash of the cost that most users have, for made-up names

  // Null: no such user.
  const User* Find(const Username& name) const;
};

// The names, normalised, to whom it makes a difference that `before` is `after` now: theirs is another hash, other
// groups, another lock or expiry, or they are gone, or new. In no order.
std::vector<std::string> ChangedUsers(const UsersFile& before, const UsersFile& after);

// Bad lines are in the result. INVALID_ARGUMENT for a file over the limits of size and users.
absl::StatusOr<UsersFile> ParseUsersFile(absl::string_view text, CaseRule case_rule);

}  // namespace credcache
