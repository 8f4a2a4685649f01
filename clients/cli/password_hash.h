// Hashes for the password file: crypt(3)'s and Argon2id (RFC 9106), with a fresh random salt.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/password.h"

namespace credcache::cli {

enum class HashKind : uint8_t { kYescrypt, kArgon2id, kSha512, kBcrypt };

// The hash as a password file holds it: `$y$...`, `$argon2id$...`, `$6$...`, `$2b$...`. INVALID_ARGUMENT for a password
// that the service would never take (empty, over 1,024 bytes) or that the kind cannot hash whole: crypt(3) stops at a
// NUL and refuses over 511 bytes, bcrypt ignores what follows the 72nd.
absl::StatusOr<std::string> HashPassword(HashKind kind, const Password& password);

// Whether `name` can stand at the beginning of a password file's line. INVALID_ARGUMENT says why not.
absl::Status CheckFileUsername(absl::string_view name);

}  // namespace credcache::cli
