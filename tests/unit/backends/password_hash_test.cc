#include "backends/password_hash.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// All of "s3cret", as other programs made them.
constexpr absl::string_view kYescrypt = "$y$j75$abcdefgh$Gesqn6hLdlHp16KfJtHEwGhEPX04Si3cQOo8xFmQ5d2";
constexpr absl::string_view kBcrypt = "$2b$05$I0YZkxBAXsSwxoACaFwG3ugfVQMiy5igwFGpDezSs0mpRYQExczFu";
constexpr absl::string_view kBcryptY = "$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK";
constexpr absl::string_view kSha512 =
    "$6$qXDxK0UJdX4dlKPR$BsMkEM40T1j3Br3Y44rFe0BU8j2t/m.pOXepuWST06y370SryHVbvWK57jH.xdIVnl0NYDa1.7TR70TcIhhIM/";
constexpr absl::string_view kSha512Rounds =
    "$6$rounds=1000$saltsalt$zcCvYcDM8j0aB28drG.Vwe4L4mnOkoRyg3Q.Bu7J9v6yK9aKDDPiDDlrOhF03cpnd3KFfSzTDNEBa0iVYm2H90";
constexpr absl::string_view kSha256 = "$5$O98DBOrkbBTpRfSc$lnP4WpIVQhYBeSuyF.6Cl2qLWPtJ6SUC4a6kM/UnF50";
constexpr absl::string_view kSha256Rounds = "$5$rounds=1000$saltsalt$zjC/Njk9Y.EVEc3QygFw/Rhx5L4ZHXnWMx5WovHpIO2";
constexpr absl::string_view kArgon2id =
    "$argon2id$v=19$m=8,t=2,p=1$c2FsdHNhbHQ$YrTwryPnEqPXu8NpdWhsO3Db/pjl+6yUCvM/V1A977k";
constexpr absl::string_view kArgon2idLanes =
    "$argon2id$v=19$m=64,t=2,p=4$c2FsdHNhbHQ$rEdEolvYsujqFZGq5m9hDgPbVIEgr+iwSnkRrM+WLic";

constexpr absl::string_view kScram =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
constexpr absl::string_view kDovecotScram =
    "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

bool Matches(absl::string_view hash, absl::string_view password) {
  const auto parsed = PasswordHash::Parse(hash);
  EXPECT_TRUE(parsed.ok()) << hash << ": " << parsed.status();
  if (!parsed.ok()) return false;
  const auto matches = parsed->Matches(SecretView(password));
  EXPECT_TRUE(matches.ok()) << matches.status();
  return matches.ok() && *matches;
}

std::string ParseError(absl::string_view hash) {
  const auto parsed = PasswordHash::Parse(hash);
  return parsed.ok() ? "no error" : std::string(parsed.status().message());
}

TEST(PasswordHashTest, TellsRightFromWrongInEveryScheme) {
  for (const absl::string_view hash :
       {kYescrypt, kBcrypt, kBcryptY, kSha512, kSha512Rounds, kSha256, kSha256Rounds, kArgon2id, kArgon2idLanes}) {
    EXPECT_TRUE(Matches(hash, "s3cret")) << hash;
    EXPECT_FALSE(Matches(hash, "s3cre")) << hash;
    EXPECT_FALSE(Matches(hash, "S3cret")) << hash;
    EXPECT_FALSE(Matches(hash, "s3cret ")) << hash;
  }
}

// Of "pencil" (RFC 7677).
TEST(PasswordHashTest, ScramVerifiersAreHashesToo) {
  for (const absl::string_view hash : {kScram, kDovecotScram}) {
    EXPECT_TRUE(Matches(hash, "pencil")) << hash;
    EXPECT_FALSE(Matches(hash, "s3cret")) << hash;
  }
  EXPECT_EQ(PasswordHash::Parse(kScram)->cost(), "SCRAM-SHA-256$4096:");
  EXPECT_EQ(PasswordHash::Parse(kDovecotScram)->cost(), "4096,");
  EXPECT_EQ(ParseError(absl::StrCat("{CRYPT}", kScram)), "the hash is no {CRYPT} hash");
  EXPECT_EQ(ParseError(absl::StrCat("{SCRAM-SHA-256}", kScram)), "the SCRAM verifier is damaged");
}

TEST(PasswordHashTest, TakesDovecotsSchemesWhereTheyAgree) {
  EXPECT_TRUE(Matches(absl::StrCat("{SHA512-CRYPT}", kSha512), "s3cret"));
  EXPECT_TRUE(Matches(absl::StrCat("{sha256-crypt}", kSha256), "s3cret"));
  EXPECT_TRUE(Matches(absl::StrCat("{BLF-CRYPT}", kBcryptY), "s3cret"));
  EXPECT_TRUE(Matches(absl::StrCat("{ARGON2ID}", kArgon2id), "s3cret"));
  EXPECT_TRUE(Matches(absl::StrCat("{CRYPT}", kYescrypt), "s3cret"));
  EXPECT_TRUE(Matches(absl::StrCat("{CRYPT}", kSha512), "s3cret"));
  EXPECT_EQ(ParseError(absl::StrCat("{SHA512-CRYPT}", kSha256)), "the hash is no {SHA512-CRYPT} hash");
  EXPECT_EQ(ParseError(absl::StrCat("{CRYPT}", kArgon2id)), "the hash is no {CRYPT} hash");
}

TEST(PasswordHashTest, RefusesWeakAndUnknownSchemes) {
  for (const absl::string_view hash : {"{PLAIN}s3cret", "{SSHA}AAAA", "{MD5-CRYPT}$1$a$b", "{SHA512-CRYPT.HEX}00"}) {
    EXPECT_THAT(ParseError(hash), HasSubstr("{SCHEME} is none of")) << hash;
  }
  for (const absl::string_view hash :
       {"s3cret", "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", "abJnggxhB/yWI", "*", "!", "x", "$apr1$a$b", "$2a$05$",
        "$argon2i$v=19$m=8,t=2,p=1$c2FsdHNhbHQ$xUwWx+a8NiRajqothxS9kBpp3HrScrigr9oEB6C/Bjw", "!$6$a$b"}) {
    EXPECT_EQ(ParseError(hash), "the hash is none of $y$, $2b$, $2y$, $6$, $5$, $argon2id$, SCRAM-SHA-256$") << hash;
  }
  EXPECT_EQ(ParseError(""), "the hash is empty");
  EXPECT_EQ(ParseError("{CRYPT}"), "the hash is empty");
  EXPECT_EQ(ParseError("{CRYPT"), "the hash's {SCHEME} has no end");
}

TEST(PasswordHashTest, RefusesDamagedHashes) {
  for (const absl::string_view hash : {kYescrypt, kBcrypt, kSha512, kSha512Rounds, kSha256, kArgon2id}) {
    for (size_t size = 0; size < hash.size(); ++size) {
      const auto parsed = PasswordHash::Parse(hash.substr(0, size));
      // An Argon2 hash may be of any length; a shorter one is another valid one, of another password.
      if (parsed.ok()) {
        EXPECT_EQ(hash, kArgon2id);
        EXPECT_FALSE(Matches(hash.substr(0, size), "s3cret"));
      } else {
        EXPECT_THAT(parsed.status().message(), Not(HasSubstr("saltsalt")));
      }
    }
    EXPECT_NE(ParseError(absl::StrCat(hash, "$")), "no error") << hash;
    EXPECT_NE(ParseError(absl::StrCat(hash, "!")), "no error") << hash;
  }
}

TEST(PasswordHashTest, RefusesHashesThatWouldKeepTheThreadsBusy) {
  const std::string sha(86, 'a');
  EXPECT_THAT(ParseError(absl::StrCat("$6$rounds=999999999$salt$", sha)), HasSubstr("rounds="));
  EXPECT_THAT(ParseError(absl::StrCat("$6$rounds=2000001$salt$", sha)), HasSubstr("rounds="));
  EXPECT_THAT(ParseError(absl::StrCat("$6$rounds=999$salt$", sha)), HasSubstr("rounds="));
  EXPECT_THAT(ParseError(absl::StrCat("$6$rounds=01000$salt$", sha)), HasSubstr("rounds="));
  EXPECT_EQ(ParseError(absl::StrCat("$6$rounds=2000000$salt$", sha)), "no error");
  EXPECT_THAT(ParseError(absl::StrCat("$2b$31$", kBcrypt.substr(7))), HasSubstr("between 4 and 15"));
  EXPECT_THAT(ParseError(absl::StrCat("$2b$16$", kBcrypt.substr(7))), HasSubstr("between 4 and 15"));
  EXPECT_THAT(ParseError(absl::StrCat("$2b$03$", kBcrypt.substr(7))), HasSubstr("between 4 and 15"));
  const absl::string_view tail = "$c2FsdHNhbHQ$YrTwryPnEqPXu8NpdWhsO3Db/pjl+6yUCvM/V1A977k";
  EXPECT_EQ(ParseError(absl::StrCat("$argon2id$v=19$m=262144,t=8,p=4", tail)), "no error");
  for (const absl::string_view costly :
       {"m=262145,t=1,p=1", "m=262144,t=9,p=1", "m=4096,t=999999999,p=1", "m=4096,t=1,p=65"}) {
    EXPECT_THAT(ParseError(absl::StrCat("$argon2id$v=19$", costly, tail)), HasSubstr("costs too much")) << costly;
  }
  for (const absl::string_view wrong :
       {"m=8,t=1", "m=8,t=1,p=1,x=1", "m=8,t=1,p=", "m=8,t=-1,p=1", "m=99999999999,t=1,p=1", "t=1,m=8,p=1"}) {
    EXPECT_THAT(ParseError(absl::StrCat("$argon2id$v=19$", wrong, tail)), HasSubstr("are not m=,t=,p=")) << wrong;
  }
  EXPECT_THAT(ParseError(absl::StrCat("$argon2id$v=19$m=7,t=1,p=1", tail)), HasSubstr("too low"));
  const std::string yescrypt_tail = absl::StrCat("$abcdefgh$", std::string(43, 'a'));
  EXPECT_EQ(ParseError(absl::StrCat("$y$jDT", yescrypt_tail)), "no error");  // 256 MiB
  EXPECT_THAT(ParseError(absl::StrCat("$y$jET", yescrypt_tail)), HasSubstr("256 MiB"));
  EXPECT_THAT(ParseError(absl::StrCat("$y$jzT", yescrypt_tail)), Not(HasSubstr("no error")));
  EXPECT_THAT(ParseError(absl::StrCat("$y$j9T.", yescrypt_tail)), HasSubstr("does not make"));
  EXPECT_THAT(ParseError(absl::StrCat("$y$j9", yescrypt_tail)), HasSubstr("damaged"));
}

TEST(PasswordHashTest, CutsNoPasswordToFit) {
  // The hash of "s3": crypt(3) would stop at the NUL.
  const absl::string_view with_nul("s3cret\0more", 11);
  for (const absl::string_view hash : {kYescrypt, kBcrypt, kSha512, kSha256}) EXPECT_FALSE(Matches(hash, with_nul));

  // Of "s3", NUL, "ret".
  const absl::string_view argon2_nul =
      "$argon2id$v=19$m=8,t=2,p=1$c2FsdHNhbHQ$MeCSlLb81pvzXRdsLabFO6eZ718xLgVHNnPlUZRl1FI";
  EXPECT_TRUE(Matches(argon2_nul, absl::string_view("s3\0ret", 6)));
  EXPECT_FALSE(Matches(argon2_nul, "s3"));

  // Of 511 times "a", the longest that crypt(3) takes.
  const absl::string_view longest =
      "$6$rounds=1000$saltsalt$Nfzme5Cwl2qD65yUQS/0dBBwDJ.iiOXGlVvesk/d8egzl1eMBkOr5Gth2iXHYCqaUhfe/eMs9l5LSOaNkEZtt/";
  EXPECT_TRUE(Matches(longest, std::string(511, 'a')));
  EXPECT_FALSE(Matches(longest, std::string(512, 'a')));
  EXPECT_FALSE(Matches(longest, std::string(1024, 'a')));
  EXPECT_FALSE(Matches(kBcrypt, std::string(73, 'a')));
  EXPECT_FALSE(Matches(kArgon2id, std::string(1024, '\xff')));
}

TEST(PasswordHashTest, NamesItsCost) {
  const auto cost = [](absl::string_view hash) { return std::string(PasswordHash::Parse(hash)->cost()); };
  EXPECT_EQ(cost(kYescrypt), "$y$j75$");
  EXPECT_EQ(cost(kBcrypt), "$2b$05$");
  EXPECT_EQ(cost(kSha512), "$6$");
  EXPECT_EQ(cost(kSha512Rounds), "$6$rounds=1000$");
  EXPECT_EQ(cost(kArgon2id), "$argon2id$v=19$m=8,t=2,p=1");
  EXPECT_EQ(PasswordHash::Placeholder().cost(), "$y$j9T$");
}

}  // namespace
}  // namespace credcache
