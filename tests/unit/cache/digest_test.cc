#include "cache/digest.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cache/fake_randomness.h"

namespace credcache {
namespace {

std::vector<uint8_t> Bytes(absl::string_view text) { return {text.begin(), text.end()}; }

std::string OpenSslHmac(const std::string& key, const std::string& message) {
  std::array<uint8_t, Digest::kSize> out;
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const uint8_t*>(message.data()),
       message.size(), out.data(), &size);
  return std::string(out.begin(), out.end());
}

std::string Text(const Digest& digest) { return std::string(digest.bytes().begin(), digest.bytes().end()); }

// Of a length below 16,384: LEB128 (DWARF 5, section 7.6) in one byte or two.
std::string Prefixed(const std::string& field) {
  std::string prefix;
  if (field.size() < 0x80) {
    prefix = {static_cast<char>(field.size())};
  } else {
    prefix = {static_cast<char>((field.size() & 0x7f) | 0x80), static_cast<char>(field.size() >> 7)};
  }
  return prefix + field;
}

struct Vector {
  std::string key;
  std::string data;
  std::string hmac;
};

// RFC 4231, sections 4.2 to 4.5: those with keys no longer than ours.
const std::vector<Vector>& Rfc4231() {
  static const auto& kVectors = *new std::vector<Vector>{
      {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {absl::HexStringToBytes("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
  };
  return kVectors;
}

TEST(DigesterTest, TheYardstickIsRfc4231) {
  for (const Vector& vector : Rfc4231()) {
    EXPECT_EQ(absl::BytesToHexString(OpenSslHmac(vector.key, vector.data)), vector.hmac);
  }
}

// HMAC pads keys with zeros, as ScriptedRandomness does: the vectors' keys are keys of ours. Their data cannot be whole
// messages of ours, which begin with lengths, and stand as fields.
TEST(DigesterTest, IsHmacSha256OfTheLengthPrefixedFields) {
  for (const Vector& vector : Rfc4231()) {
    ScriptedRandomness randomness(Bytes(vector.key));
    const Digester digester(randomness);
    EXPECT_EQ(Text(digester.Compute("corp", "alice", SecretView(vector.data))),
              OpenSslHmac(vector.key, Prefixed("corp") + Prefixed("alice") + Prefixed(vector.data)));
  }
}

TEST(DigesterTest, HoldsForEveryLength) {
  const std::string key = "0123456789abcdef0123456789ABCDEF";
  ScriptedRandomness randomness(Bytes(key));
  const Digester digester(randomness);
  const std::string text(3000, 'x');
  for (size_t size = 0; size <= 1100; ++size) {
    const std::string password = text.substr(0, size);
    const std::string username = text.substr(0, size % 257);
    ASSERT_EQ(Text(digester.Compute("corp.example", username, SecretView(password))),
              OpenSslHmac(key, Prefixed("corp.example") + Prefixed(username) + Prefixed(password)))
        << "password of " << size << " bytes";
  }
  EXPECT_EQ(Text(digester.Compute(text, text, SecretView(text))),
            OpenSslHmac(key, Prefixed(text) + Prefixed(text) + Prefixed(text)));
}

TEST(DigesterTest, UsesTheWholeKeyThatItDrew) {
  std::vector<uint8_t> key(32, 1);
  ScriptedRandomness randomness(key);
  const Digest digest = Digester(randomness).Compute("r", "u", SecretView("p"));
  for (size_t i = 0; i < key.size(); ++i) {
    std::vector<uint8_t> other = key;
    other[i] ^= 0x80;
    ScriptedRandomness other_randomness(other);
    EXPECT_FALSE(Digester(other_randomness).Compute("r", "u", SecretView("p")) == digest) << "byte " << i;
  }
}

TEST(DigesterTest, NoTwoCredentialsMakeOneMessage) {
  ScriptedRandomness randomness({1, 2, 3});
  const Digester digester(randomness);
  std::set<std::string> digests;
  int credentials = 0;
  const std::string all = "aaaaaa";
  for (size_t i = 0; i <= all.size(); ++i) {
    for (size_t j = i; j <= all.size(); ++j) {
      digests.insert(Text(digester.Compute(all.substr(0, i), all.substr(i, j - i), SecretView(all.substr(j)))));
      ++credentials;
    }
  }
  EXPECT_EQ(digests.size(), credentials);
}

TEST(DigestTest, DiffersWhereAnyByteDoes) {
  const Digest digest;
  for (size_t i = 0; i < Digest::kSize; ++i) {
    std::array<uint8_t, Digest::kSize> bytes{};
    bytes[i] = 1;
    EXPECT_FALSE(Digest(bytes) == digest) << "byte " << i;
  }
  EXPECT_TRUE(Digest(std::array<uint8_t, Digest::kSize>{}) == digest);
}

}  // namespace
}  // namespace credcache
