#include "backends/scram_verifier.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <array>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "backends/saslprep.h"

namespace credcache {
namespace {

// RFC 7677, section 3: user "user", password "pencil".
constexpr absl::string_view kPencil =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
constexpr absl::string_view kAuthMessage =
    "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr absl::string_view kServerSignature = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
constexpr absl::string_view kClientProof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

std::string Hmac(absl::string_view key, absl::string_view text) {
  std::string result(SHA256_DIGEST_LENGTH, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const uint8_t*>(text.data()),
       text.size(), reinterpret_cast<uint8_t*>(result.data()), &size);
  return result;
}

std::string Sha256(absl::string_view text) {
  std::string result(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), reinterpret_cast<uint8_t*>(result.data()));
  return result;
}

// Of the same conversation, the signatures that the RFC prints come out.
TEST(ScramVerifierTest, TheVerifierOfTheRfcIsThatOfItsConversation) {
  const auto verifier = ScramVerifier::ParsePostgres(kPencil);
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  EXPECT_EQ(absl::Base64Escape(Hmac(verifier->server_key, kAuthMessage)), kServerSignature);
  std::string client_key;
  ASSERT_TRUE(absl::Base64Unescape(kClientProof, &client_key));
  const std::string signature = Hmac(verifier->stored_key, kAuthMessage);
  for (size_t i = 0; i < client_key.size(); ++i) client_key[i] = static_cast<char>(client_key[i] ^ signature[i]);
  EXPECT_EQ(Sha256(client_key), verifier->stored_key);
}

bool Matches(const absl::StatusOr<ScramVerifier>& verifier, absl::string_view password) {
  EXPECT_TRUE(verifier.ok()) << verifier.status();
  if (!verifier.ok()) return false;
  const auto matches = verifier->Matches(SecretView(password));
  EXPECT_TRUE(matches.ok()) << matches.status();
  return matches.ok() && *matches;
}

TEST(ScramVerifierTest, TellsRightFromWrong) {
  const std::string dovecot = absl::StrReplaceAll(kPencil.substr(14), {{"$", ","}, {":", ","}});
  for (const auto& verifier : {ScramVerifier::ParsePostgres(kPencil), ScramVerifier::ParseDovecot(dovecot)}) {
    EXPECT_TRUE(Matches(verifier, "pencil"));
    EXPECT_FALSE(Matches(verifier, "pencil "));
    EXPECT_FALSE(Matches(verifier, "Pencil"));
    EXPECT_FALSE(Matches(verifier, std::string("pencil\0", 7)));
    EXPECT_FALSE(Matches(verifier, std::string(1024, 'x')));
  }
}

TEST(ScramVerifierTest, BothKeysMustBeThePasswords) {
  const std::string bad_stored = absl::StrReplaceAll(
      kPencil, {{"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=", "AG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="}});
  const std::string bad_server = absl::StrReplaceAll(
      kPencil, {{"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", "AfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="}});
  EXPECT_FALSE(Matches(ScramVerifier::ParsePostgres(bad_stored), "pencil"));
  EXPECT_FALSE(Matches(ScramVerifier::ParsePostgres(bad_server), "pencil"));
}

// Of "IX" and of the one character U+2168, by Python's hashlib; SASLprep makes the one of the other (RFC 4013).
constexpr absl::string_view kOfLetters =
    "4096:c2FsdHNhbHRzYWx0c2FsdA==$reE3rYE9SNaeceisedNRugrCpKnRQC5P2JIOWa16Plc=:"
    "NhrtD0Cz0Q1t8UjIC4+JWouKyg1hgiaGWJeXUwxGkh8=";
constexpr absl::string_view kOfTheNumeral =
    "4096,c2FsdHNhbHRzYWx0c2FsdA==,0Ig4WYqT1JiTBfoa4ia75MX5A+qAuKovDGOKYOLnPM4=,"
    "lAMWrgvfojMm+IVybh7xXLDr0ymcdcL/Vs6bBf6cyro=";

TEST(ScramVerifierTest, PostgresqlsGoThroughSaslprepAndDovecotsDoNot) {
  const auto postgres = ScramVerifier::ParsePostgres(absl::StrCat("SCRAM-SHA-256$", kOfLetters));
  EXPECT_TRUE(Matches(postgres, "IX"));
  EXPECT_TRUE(Matches(postgres, "\u2168"));
  EXPECT_TRUE(Matches(postgres, "I\u00adX"));
  EXPECT_FALSE(Matches(postgres, "ix"));
  EXPECT_TRUE(Matches(ScramVerifier::ParseDovecot(kOfTheNumeral), "\u2168"));
  EXPECT_FALSE(Matches(ScramVerifier::ParseDovecot(kOfTheNumeral), "IX"));
}

std::string Prepared(absl::string_view password) {
  const auto prepared = SaslPrep(SecretView(password));
  EXPECT_TRUE(prepared.ok()) << prepared.status();
  return std::string(prepared->view().Expose());
}

TEST(SaslPrepTest, DoesWhatRfc4013ShowsAndLeavesWhatItRefuses) {
  EXPECT_EQ(Prepared("I\u00adX"), "IX");
  EXPECT_EQ(Prepared("user"), "user");
  EXPECT_EQ(Prepared("USER"), "USER");
  EXPECT_EQ(Prepared("\u00aa"), "a");
  EXPECT_EQ(Prepared("\u2168"), "IX");
  EXPECT_EQ(Prepared("a\u00a0b"), "a b");
  EXPECT_EQ(Prepared("cafe\u0301"), "caf\u00e9");
  // Refused: a control character, right-to-left mixed with a digit behind, new characters, nothing left, no UTF-8, NUL.
  for (const absl::string_view refused :
       {absl::string_view("\u0007x"), absl::string_view("\u00e9\u0007"), absl::string_view("\u06271"),
        absl::string_view("\U0001F600"), absl::string_view("\u00ad"), absl::string_view("\xff\xfe"),
        absl::string_view("\u00e9\0x", 4)}) {
    EXPECT_EQ(Prepared(refused), refused) << absl::CHexEscape(refused);
  }
  // The longest that a password can become.
  std::string long_one;
  for (int i = 0; i < 341; ++i) absl::StrAppend(&long_one, "\uFDFA");
  EXPECT_EQ(Prepared(long_one).size(), 341U * 33);
}

std::string PostgresError(absl::string_view text) {
  const auto verifier = ScramVerifier::ParsePostgres(text);
  return verifier.ok() ? "no error" : std::string(verifier.status().message());
}

TEST(ScramVerifierTest, RefusesDamageAndForeignCosts) {
  EXPECT_EQ(PostgresError(kPencil), "no error");
  // But for the last =, which says nothing.
  for (size_t size = 0; size < kPencil.size() - 1; ++size) {
    EXPECT_NE(PostgresError(kPencil.substr(0, size)), "no error") << size;
  }
  const auto changed = [](absl::string_view from, absl::string_view to) {
    return PostgresError(absl::StrReplaceAll(kPencil, {{from, to}}));
  };
  const std::string damaged = "the SCRAM verifier is damaged";
  EXPECT_EQ(changed("$W", ":W"), damaged);
  EXPECT_EQ(changed(":w", "$w"), damaged);
  EXPECT_EQ(changed("W22Z", "!22Z"), damaged);
  EXPECT_EQ(changed("W22ZaJ0SNY7soEsUEjb6gQ==", "AAAA"), damaged);
  EXPECT_EQ(changed("4096", "x"), damaged);
  EXPECT_EQ(changed("4096", "-4096"), damaged);
  EXPECT_EQ(changed("4096", "99999999999"), damaged);
  EXPECT_EQ(changed("4096", "4095"), "the SCRAM verifier's iterations are not between 4096 and 2000000");
  EXPECT_EQ(changed("4096", "2000001"), "the SCRAM verifier's iterations are not between 4096 and 2000000");
  EXPECT_EQ(changed("4096", "2000000"), "no error");
}

TEST(ScramVerifierTest, KnowsHowFarPostgresqlsReach) {
  EXPECT_EQ(PostgresVerifierSize(kPencil), kPencil.size());
  EXPECT_EQ(PostgresVerifierSize(absl::StrCat(kPencil, ":groups=a")), kPencil.size());
  EXPECT_EQ(PostgresVerifierSize("$5$salt$hash:groups=a"), 0U);
}

}  // namespace
}  // namespace credcache
