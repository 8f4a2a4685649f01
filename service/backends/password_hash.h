// One password hash of a users file or a database: crypt(3)'s yescrypt, bcrypt and SHA-crypt, Argon2id (RFC 9106), and
// verifiers for SCRAM-SHA-256 (scram_verifier.h).
//
// Pure computation, no I/O. Thread-safe: a hash is immutable, and what a check needs is the thread's own and wiped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/secret.h"

namespace credcache {

class PasswordHash {
 public:
  // From `$y$`, `$2b$`, `$2y$`, `$6$`, `$5$` or `$argon2id$`, with or without a Dovecot-style `{SCHEME}` before it,
  // which must then agree; or from a SCRAM verifier of PostgreSQL's or Dovecot's. INVALID_ARGUMENT, with a text that
  // never repeats the hash, for everything else: schemes that are weak or unknown, a damaged hash, and one that would
  // cost more than any honest one (kMax… in the .cc), since a single line must not be able to keep the threads busy.
  static absl::StatusOr<PasswordHash> Parse(absl::string_view text);

  // A hash that costs what libxcrypt's default does, of a password that nobody knows.
  static PasswordHash Placeholder();

  // Whether `password` is the hash's. Takes as long when it is not. What the scheme cannot hold is never cut to fit, it
  // is wrong: NUL and more than 511 bytes for crypt(3), more than 72 bytes for bcrypt, NUL for SCRAM. UNAVAILABLE when
  // the library cannot tell (out of memory).
  absl::StatusOr<bool> Matches(SecretView password) const;

  // The same hash, as it is written.
  friend bool operator==(const PasswordHash&, const PasswordHash&) = default;

  // Equal for hashes that cost the same work: the scheme and its parameters, as written.
  absl::string_view cost() const { return absl::string_view(encoded_).substr(0, cost_size_); }

 private:
  enum class Scheme : uint8_t { kCrypt, kBcrypt, kArgon2id, kPostgresScram, kDovecotScram };
  PasswordHash(Scheme scheme, absl::string_view encoded, size_t cost_size)
      : encoded_(encoded), cost_size_(static_cast<uint16_t>(cost_size)), scheme_(scheme) {}

  static absl::StatusOr<PasswordHash> ParseYescrypt(absl::string_view text);
  static absl::StatusOr<PasswordHash> ParseBcrypt(absl::string_view text);
  static absl::StatusOr<PasswordHash> ParseShaCrypt(absl::string_view text);
  static absl::StatusOr<PasswordHash> ParseArgon2id(absl::string_view text);
  static absl::StatusOr<PasswordHash> ParsePostgresScram(absl::string_view text);
  static absl::StatusOr<PasswordHash> ParseDovecotScram(absl::string_view text);
  absl::StatusOr<bool> MatchesCrypt(SecretView password) const;
  absl::StatusOr<bool> MatchesArgon2id(SecretView password) const;
  absl::StatusOr<bool> MatchesScram(SecretView password) const;

  std::string encoded_;
  uint16_t cost_size_;
  Scheme scheme_;
};

}  // namespace credcache
