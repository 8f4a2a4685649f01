#include "cli/password_hash.h"

#include <argon2.h>
#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace credcache::cli {
namespace {

constexpr size_t kLongestForService = 1024;
constexpr size_t kSaltSize = 16;

// OWASP's first choice for Argon2id on servers that hash for many at once: 19 MiB, two passes, one lane.
constexpr uint32_t kArgon2MemoryKib = 19456;
constexpr uint32_t kArgon2Passes = 2;
constexpr uint32_t kArgon2Lanes = 1;
constexpr size_t kArgon2HashSize = 32;

// libxcrypt's own defaults for SHA-512 (5,000 rounds) and bcrypt (2^5) are those of twenty years ago.
struct CryptKind {
  absl::string_view name;
  const char* prefix;
  uint32_t cost;   // 0: libxcrypt's default
  size_t longest;  // of a password, in bytes
};
constexpr size_t kLongestForCrypt = CRYPT_MAX_PASSPHRASE_SIZE - 1;
constexpr CryptKind kYescrypt = {"yescrypt", "$y$", 0, kLongestForCrypt};
constexpr CryptKind kSha512 = {"sha512", "$6$", 200000, kLongestForCrypt};
constexpr CryptKind kBcrypt = {"bcrypt", "$2b$", 11, 72};

struct WipedCryptData {
  crypt_data data{};
  ~WipedCryptData() { OPENSSL_cleanse(&data, sizeof data); }
};

absl::StatusOr<std::string> HashByCrypt(const CryptKind& kind, const Password& password) {
  if (password.view().size() > kind.longest) {
    return absl::InvalidArgumentError(absl::StrCat(kind.name, " hashes at most ", kind.longest,
                                                   " bytes of a password; use argon2id for a longer one"));
  }
  if (absl::StrContains(password.view(), '\0')) {
    return absl::InvalidArgumentError(absl::StrCat(kind.name, " cannot hash a password with a NUL byte; use argon2id"));
  }
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (crypt_gensalt_rn(kind.prefix, kind.cost, nullptr, 0, setting.data(), setting.size()) == nullptr) {
    return absl::InternalError(absl::StrCat("no salt for ", kind.name, ": ", strerror(errno)));
  }
  const auto work = std::make_unique<WipedCryptData>();
  const char* hash = crypt_rn(password.c_str(), setting.data(), &work->data, sizeof work->data);
  if (hash == nullptr) return absl::InternalError(absl::StrCat("cannot hash by ", kind.name, ": ", strerror(errno)));
  return std::string(hash);
}

absl::StatusOr<std::string> HashByArgon2id(const Password& password) {
  std::array<uint8_t, kSaltSize> salt{};
  if (RAND_bytes(salt.data(), salt.size()) != 1) return absl::InternalError("no random bytes for a salt");
  std::string encoded(
      argon2_encodedlen(kArgon2Passes, kArgon2MemoryKib, kArgon2Lanes, kSaltSize, kArgon2HashSize, Argon2_id), '\0');
  const int result = argon2id_hash_encoded(kArgon2Passes, kArgon2MemoryKib, kArgon2Lanes, password.view().data(),
                                           password.view().size(), salt.data(), salt.size(), kArgon2HashSize,
                                           encoded.data(), encoded.size());
  if (result != ARGON2_OK)
    return absl::InternalError(absl::StrCat("cannot hash by argon2id: ", argon2_error_message(result)));
  encoded.resize(strlen(encoded.c_str()));
  return encoded;
}

}  // namespace

absl::StatusOr<std::string> HashPassword(HashKind kind, const Password& password) {
  if (password.empty()) return absl::InvalidArgumentError("the password is empty; the service rejects an empty one");
  if (password.view().size() > kLongestForService) {
    return absl::InvalidArgumentError(
        absl::StrCat("the password is longer than ", kLongestForService, " bytes; the service takes no longer one"));
  }
  switch (kind) {
    case HashKind::kYescrypt:
      return HashByCrypt(kYescrypt, password);
    case HashKind::kSha512:
      return HashByCrypt(kSha512, password);
    case HashKind::kBcrypt:
      return HashByCrypt(kBcrypt, password);
    case HashKind::kArgon2id:
      return HashByArgon2id(password);
  }
  return absl::InternalError("no such kind of hash");
}

absl::Status CheckFileUsername(absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("the user's name is empty");
  if (absl::StrContains(name, ':'))
    return absl::InvalidArgumentError("a name with a colon cannot be in a password file");
  if (name.front() == '#')
    return absl::InvalidArgumentError("a line that begins with # is a comment in a password file");
  if (name.front() == ' ' || name.back() == ' ') {
    return absl::InvalidArgumentError("the user's name begins or ends with a space");
  }
  for (const char c : name) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      return absl::InvalidArgumentError("the user's name has a control character");
    }
  }
  return absl::OkStatus();
}

}  // namespace credcache::cli
