// SHA256_CTX is the only way that OpenSSL 3 offers to go on from a hash state that lies in memory of our choosing, and
// costs less than half of EVP's HMAC: docs/adr/0002-hmac-from-precomputed-states.md. It is deprecated, hence:
#define OPENSSL_SUPPRESS_DEPRECATED

#include "cache/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cstring>
#include <type_traits>

namespace credcache {
namespace {

// What HMAC has hashed before the message and before the inner hash: the key, padded and masked (RFC 2104, section 4).
struct States {
  SHA256_CTX inner;
  SHA256_CTX outer;
};
static_assert(std::is_trivially_copyable_v<States>);

constexpr size_t kKeySize = 32;  // RFC 2104, section 3: as long as the hash; longer adds nothing
constexpr uint8_t kInnerMask = 0x36;
constexpr uint8_t kOuterMask = 0x5c;

// The state after the key under `mask`.
void Absorb(const std::array<uint8_t, kKeySize>& key, uint8_t mask, SHA256_CTX& state) {
  std::array<uint8_t, SHA256_CBLOCK> block;
  block.fill(mask);
  for (size_t i = 0; i < key.size(); ++i) block[i] ^= key[i];
  SHA256_Init(&state);
  SHA256_Update(&state, block.data(), block.size());
  WipeMemory(block.data(), block.size());
}

// Feeds length-prefixed fields to a hash, gathered so that a short credential is one update: each costs some 8 ns.
class FieldHasher {
 public:
  explicit FieldHasher(const SHA256_CTX& start) : hash_(start) {}
  ~FieldHasher() {
    WipeMemory(&hash_, sizeof(hash_));
    WipeMemory(buffer_.data(), dirty_);
  }
  FieldHasher(const FieldHasher&) = delete;
  FieldHasher& operator=(const FieldHasher&) = delete;

  // The length as LEB128, one byte below 128, so that 51 bytes of credential still fit one block with SHA's padding.
  void Add(absl::string_view field) {
    std::array<uint8_t, 10> length;
    size_t length_size = 0;
    uint64_t rest = field.size();
    for (; rest >= 0x80; rest >>= 7) length[length_size++] = static_cast<uint8_t>(rest | 0x80);
    length[length_size++] = static_cast<uint8_t>(rest);
    Append(length.data(), length_size);
    Append(field.data(), field.size());
  }

  void Finish(uint8_t* out) {
    Flush();
    SHA256_Final(out, &hash_);
  }

 private:
  void Append(const void* bytes, size_t size) {
    if (size > buffer_.size() - used_) Flush();
    if (size > buffer_.size()) {
      SHA256_Update(&hash_, bytes, size);
    } else if (size > 0) {
      std::memcpy(buffer_.data() + used_, bytes, size);
      used_ += size;
      if (used_ > dirty_) dirty_ = used_;
    }
  }
  void Flush() {
    SHA256_Update(&hash_, buffer_.data(), used_);
    used_ = 0;
  }

  SHA256_CTX hash_;
  std::array<uint8_t, 4 * SHA256_CBLOCK> buffer_;  // NOLINT: uninitialised up to dirty_
  size_t used_ = 0;
  size_t dirty_ = 0;  // how much of the buffer has held something
};

}  // namespace

bool operator==(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.bytes_.data(), b.bytes_.data(), Digest::kSize) == 0;
}

Digester::Digester(Randomness& randomness) : states_(std::make_unique<SecretMemory>(sizeof(States))) {
  std::array<uint8_t, kKeySize> key;
  randomness.Fill(key);
  States states;
  Absorb(key, kInnerMask, states.inner);
  Absorb(key, kOuterMask, states.outer);
  std::memcpy(states_->bytes().data(), &states, sizeof(states));
  WipeMemory(&states, sizeof(states));
  WipeMemory(key.data(), key.size());
}

Digest Digester::Compute(absl::string_view realm, absl::string_view username, SecretView password) const {
  // The mapping is aligned to a page, and holds exactly a States since the constructor.
  const auto& states = *reinterpret_cast<const States*>(states_->bytes().data());
  std::array<uint8_t, Digest::kSize> bytes;
  FieldHasher inner(states.inner);
  inner.Add(realm);
  inner.Add(username);
  inner.Add(password.Expose());
  inner.Finish(bytes.data());

  SHA256_CTX outer = states.outer;
  SHA256_Update(&outer, bytes.data(), bytes.size());
  SHA256_Final(bytes.data(), &outer);
  WipeMemory(&outer, sizeof(outer));
  return Digest(bytes);
}

}  // namespace credcache
