// SHA256_CTX is the only way that OpenSSL 3 offers to go on from a hash state that lies in memory of our choosing, and
// costs less than half of EVP's HMAC: docs/adr/0002-hmac-from-precomputed-states.md. It is deprecated, hence:
#define OPENSSL_SUPPRESS_DEPRECATED

#include "cache/digest.h"

#include <endian.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "absl/base/attributes.h"

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

// One of HMAC's two hashes, continued from `start`: SHA-256 (FIPS 180-4) block by block. The compression is OpenSSL's;
// the padding (section 5.1.1) is done here, since SHA256_Update and _Final cost a quarter of a short credential's
// digest.
class Hash {
 public:
  // By then `start` has hashed one block.
  explicit Hash(const SHA256_CTX& start) {
    std::memcpy(state_.h, start.h, sizeof(state_.h));
    state_.Nl = state_.Nh = state_.num = 0;  // for SHA256_Update: nothing waits in its block
    std::memset(state_.data, 0, sizeof(state_.data));
  }
  // As WipeMemory, which is a call: the barrier keeps the compiler from leaving it out.
  ~Hash() {
    std::memset(state_.h, 0, sizeof(state_.h));
    std::memset(state_.data, 0, sizeof(state_.data));
    asm volatile("" : : "r"(&state_) : "memory");
  }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  // A field with its length before it, as LEB128: one byte below 128, so that 51 bytes of credential still fit one
  // block with the padding.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void AddField(absl::string_view field) {
    if (field.size() < 0x80 && used_ + 1 + field.size() < SHA256_CBLOCK) {  // as nearly always, and all that is to do
      block()[used_] = static_cast<uint8_t>(field.size());
      CopyField(field, block() + used_ + 1);
      used_ += 1 + field.size();
      return;
    }
    AddLongField(field);
  }

  // The hash of what was added, as the next that `outer` is to hash, or to `digest`. The end of this one.
  void Finish(Hash& outer) {
    Finish(outer.block() + outer.used_);
    outer.Added(SHA256_DIGEST_LENGTH);
  }
  void Finish(uint8_t* digest) {
    const uint64_t bits = htobe64((compressed_ + used_) * 8);
    AddByte(0x80);
    if (used_ > kLengthAt) Fill(SHA256_CBLOCK);
    if (compressed_ > SHA256_CBLOCK) Fill(kLengthAt);  // else it is the first block, and zero from the beginning
    std::memcpy(block() + kLengthAt, &bits, sizeof(bits));
    SHA256_Transform(&state_, block());
    StorePair(0, digest);
    StorePair(1, digest);
    StorePair(2, digest);
    StorePair(3, digest);
  }

 private:
  static constexpr size_t kLengthAt = SHA256_CBLOCK - sizeof(uint64_t);

  ABSL_ATTRIBUTE_NOINLINE void AddLongField(absl::string_view field) {
    uint64_t rest = field.size();
    for (; rest >= 0x80; rest >>= 7) AddByte(static_cast<uint8_t>(rest | 0x80));
    AddByte(static_cast<uint8_t>(rest));
    while (!field.empty()) {
      if (used_ == 0 && field.size() >= SHA256_CBLOCK) {  // several blocks at once, from where they lie
        const size_t whole = field.size() / SHA256_CBLOCK * SHA256_CBLOCK;
        SHA256_Update(&state_, field.data(), whole);
        compressed_ += whole;
        field.remove_prefix(whole);
        continue;
      }
      const size_t part = std::min(field.size(), SHA256_CBLOCK - used_);
      std::memcpy(block() + used_, field.data(), part);
      Added(part);
      field.remove_prefix(part);
    }
  }

  // In words, the last of which may overlap the one before: byte by byte, it took a tenth of a hit.
  static void CopyField(absl::string_view field, uint8_t* to) {
    constexpr size_t kWord = sizeof(uint64_t);
    if (field.size() < kWord) {
      std::copy(field.begin(), field.end(), to);
      return;
    }
    const size_t last = field.size() - kWord;
    for (size_t at = 0; at < last; at += kWord) std::memcpy(to + at, field.data() + at, kWord);
    std::memcpy(to + last, field.data() + last, kWord);
  }

  // Two words of the state, big-endian as the digest is.
  void StorePair(size_t pair, uint8_t* digest) const {
    const uint64_t words = htobe64(uint64_t{state_.h[2 * pair]} << 32 | state_.h[2 * pair + 1]);
    std::memcpy(digest + pair * sizeof(words), &words, sizeof(words));
  }

  // Of state_ SHA256_Transform uses h alone, and SHA256_Update not its block, for whole ones: it is ours.
  uint8_t* block() { return reinterpret_cast<uint8_t*>(state_.data); }
  void AddByte(uint8_t byte) {
    block()[used_] = byte;
    Added(1);
  }
  void Fill(size_t end) {
    std::memset(block() + used_, 0, end - used_);
    Added(end - used_);
  }
  void Added(size_t size) {
    used_ += size;
    if (used_ < SHA256_CBLOCK) return;
    SHA256_Transform(&state_, block());
    compressed_ += SHA256_CBLOCK;
    used_ = 0;
  }

  SHA256_CTX state_;                     // NOLINT: filled as it is used
  size_t used_ = 0;                      // of the block
  uint64_t compressed_ = SHA256_CBLOCK;  // bytes, the first block's among them
};

}  // namespace

bool operator==(const Digest& a, const Digest& b) {
  // CRYPTO_memcmp goes byte by byte, which took a tenth of a hit. This has no branch either, and the barrier keeps the
  // compiler from making one.
  std::array<uint64_t, 4> x;
  std::array<uint64_t, 4> y;
  std::memcpy(x.data(), a.bytes_.data(), Digest::kSize);
  std::memcpy(y.data(), b.bytes_.data(), Digest::kSize);
  uint64_t difference = (x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]);
  asm("" : "+r"(difference));
  return difference == 0;
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
  Hash inner(states.inner);
  inner.AddField(realm);
  inner.AddField(username);
  inner.AddField(password.Expose());
  Hash outer(states.outer);
  inner.Finish(outer);
  Digest digest;
  outer.Finish(digest.bytes_.data());
  return digest;
}

}  // namespace credcache
