#include "cli/password_hash.h"

#include <argon2.h>
#include <crypt.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

namespace credcache::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Password MakePassword(absl::string_view text) {
  Password password;
  std::copy(text.begin(), text.end(), password.Room().begin());
  password.Grow(text.size());
  return password;
}

bool CryptAccepts(const std::string& hash, const char* password) {
  crypt_data data{};
  const char* again = crypt_r(password, hash.c_str(), &data);
  return again != nullptr && hash == again;
}

struct Kind {
  HashKind kind;
  const char* prefix;
};

class CryptHashTest : public testing::TestWithParam<Kind> {};

TEST_P(CryptHashTest, IsAcceptedByCryptForThisPasswordAlone) {
  const auto hash = HashPassword(GetParam().kind, MakePassword("s3cr\xc3\xa9t"));
  ASSERT_TRUE(hash.ok()) << hash.status();
  EXPECT_THAT(*hash, StartsWith(GetParam().prefix));
  EXPECT_THAT(*hash, Not(HasSubstr(":")));
  EXPECT_TRUE(CryptAccepts(*hash, "s3cr\xc3\xa9t"));
  EXPECT_FALSE(CryptAccepts(*hash, "s3cret"));
}

TEST_P(CryptHashTest, RefusesWhatCryptWouldCutOff) {
  EXPECT_EQ(HashPassword(GetParam().kind, MakePassword(absl::string_view("a\0b", 3))).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(HashPassword(GetParam().kind, MakePassword(std::string(512, 'x'))).status().code(),
            absl::StatusCode::kInvalidArgument);
}

std::string NameOfKind(const testing::TestParamInfo<Kind>& kind) {
  static const std::array<std::string, 3> kNames = {"Yescrypt", "Sha512", "Bcrypt"};
  return kNames.at(kind.index);
}

INSTANTIATE_TEST_SUITE_P(Kinds, CryptHashTest,
                         testing::Values(Kind{HashKind::kYescrypt, "$y$"}, Kind{HashKind::kSha512, "$6$rounds=200000$"},
                                         Kind{HashKind::kBcrypt, "$2b$11$"}),
                         NameOfKind);

TEST(PasswordHashTest, BcryptRefusesWhatItWouldIgnore) {
  EXPECT_TRUE(HashPassword(HashKind::kBcrypt, MakePassword(std::string(72, 'x'))).ok());
  EXPECT_FALSE(HashPassword(HashKind::kBcrypt, MakePassword(std::string(73, 'x'))).ok());
}

TEST(PasswordHashTest, Argon2idTakesAnyBytes) {
  const std::string bytes("a\0\xff", 3);
  const auto hash = HashPassword(HashKind::kArgon2id, MakePassword(bytes));
  ASSERT_TRUE(hash.ok()) << hash.status();
  EXPECT_THAT(*hash, StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_EQ(argon2id_verify(hash->c_str(), bytes.data(), bytes.size()), ARGON2_OK);
  EXPECT_EQ(argon2id_verify(hash->c_str(), bytes.data(), bytes.size() - 1), ARGON2_VERIFY_MISMATCH);
}

TEST(PasswordHashTest, SaltsDiffer) {
  EXPECT_NE(*HashPassword(HashKind::kArgon2id, MakePassword("x")),
            *HashPassword(HashKind::kArgon2id, MakePassword("x")));
}

TEST(PasswordHashTest, RefusesWhatTheServiceNeverTakes) {
  EXPECT_FALSE(HashPassword(HashKind::kArgon2id, MakePassword("")).ok());
  EXPECT_TRUE(HashPassword(HashKind::kArgon2id, MakePassword(std::string(1024, 'x'))).ok());
  EXPECT_FALSE(HashPassword(HashKind::kArgon2id, MakePassword(std::string(1025, 'x'))).ok());
}

TEST(PasswordHashTest, UsernamesMustFitALine) {
  EXPECT_TRUE(CheckFileUsername("alice@corp.example").ok());
  for (const char* name : {"", "a:b", "#a", " a", "a ", "a\nb"}) EXPECT_FALSE(CheckFileUsername(name).ok()) << name;
}

}  // namespace
}  // namespace credcache::cli
