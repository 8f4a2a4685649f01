// The keyed hash under which a credential is remembered, so that no password ever is.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "absl/strings/string_view.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/secret_memory.h"

namespace credcache {

// HMAC-SHA256 (RFC 2104, FIPS 180-4) of a credential, whole: nothing is accepted on a part of it.
class Digest {
 public:
  static constexpr size_t kSize = 32;

  Digest() = default;
  explicit Digest(const std::array<uint8_t, kSize>& bytes) : bytes_(bytes) {}
  const std::array<uint8_t, kSize>& bytes() const { return bytes_; }

  // In constant time.
  friend bool operator==(const Digest& a, const Digest& b);

  // Digests are uniform under a secret key, so their first bytes are a hash; equality still compares all.
  template <typename H>
  friend H AbslHashValue(H h, const Digest& digest) {
    return H::combine_contiguous(std::move(h), digest.bytes_.data(), sizeof(uint64_t));
  }

 private:
  friend class Digester;
  std::array<uint8_t, kSize> bytes_{};
};

// Makes digests under a random key of the process's own. The key exists only as the two hash states made from it, in
// memory that no other process and no core dump sees (secret_memory.h). Thread-safe; allocates nothing after
// construction.
class Digester {
 public:
  explicit Digester(Randomness& randomness);

  // The digest of (realm, username, password). Fields are length-prefixed: no two credentials make one message.
  Digest Compute(absl::string_view realm, absl::string_view username, SecretView password) const;

  // How the key is kept, for the log at start.
  SecretMemory::Protection protection() const { return states_->protection(); }

 private:
  std::unique_ptr<SecretMemory> states_;
};

}  // namespace credcache
