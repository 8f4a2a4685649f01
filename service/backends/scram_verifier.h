// What a server keeps of a password for SCRAM-SHA-256 (RFC 5802, RFC 7677), used here as a hash: a password is good if
// it has the same keys.
//
//   SCRAM-SHA-256$ITERATIONS:SALT$STORED_KEY:SERVER_KEY     as PostgreSQL writes it (pg_authid.rolpassword)
//   ITERATIONS,SALT,STORED_KEY,SERVER_KEY                   as Dovecot writes it, after {SCRAM-SHA-256}
//
// Pure computation, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/secret.h"

namespace credcache {

struct ScramVerifier {
  // Whether the password goes through SASLprep first. PostgreSQL does that, Dovecot takes passwords as they come.
  bool saslprep = true;
  uint32_t iterations = 0;
  std::string salt;
  std::string stored_key;
  std::string server_key;
  size_t cost_size = 0;  // of the text that says what it costs

  // INVALID_ARGUMENT, with a text that never repeats the verifier, for what is damaged, or has fewer iterations than
  // RFC 7677 wants (4,096) or more than any honest verifier.
  static absl::StatusOr<ScramVerifier> ParsePostgres(absl::string_view text);
  static absl::StatusOr<ScramVerifier> ParseDovecot(absl::string_view text);

  // UNAVAILABLE when the library cannot tell (out of memory).
  absl::StatusOr<bool> Matches(SecretView password) const;
};

// How many bytes of `text`, which begins with one of PostgreSQL's verifiers, may belong to it: up to the third colon.
// 0: it begins with something else.
size_t PostgresVerifierSize(absl::string_view text);

}  // namespace credcache
