#include "backends/ldap_escape.h"

#include <gtest/gtest.h>
#include <ldap.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace credcache {
namespace {

TEST(LdapEscapeTest, FiltersByRfc4515) {
  EXPECT_EQ(EscapeFilterValue("alice"), "alice");
  EXPECT_EQ(EscapeFilterValue("*)(uid=*"), "\\2a\\29\\28uid=\\2a");
  EXPECT_EQ(EscapeFilterValue("a\\b"), "a\\5cb");
  EXPECT_EQ(EscapeFilterValue(absl::string_view("a\0b\n\x7f", 5)), "a\\00b\\0a\\7f");
  EXPECT_EQ(EscapeFilterValue("r\xc3\xa9mi & |!<>=~"), "r\xc3\xa9mi & |!<>=~");
  EXPECT_EQ(EscapeFilterValue(""), "");
}

TEST(LdapEscapeTest, DistinguishedNamesByRfc4514) {
  EXPECT_EQ(EscapeDnValue("alice"), "alice");
  EXPECT_EQ(EscapeDnValue("a,ou=admins"), "a\\2cou\\3dadmins");
  EXPECT_EQ(EscapeDnValue("\"+,;<>\\"), "\\22\\2b\\2c\\3b\\3c\\3e\\5c");
  EXPECT_EQ(EscapeDnValue("#a#"), "\\23a#");
  EXPECT_EQ(EscapeDnValue(" a b "), "\\20a b\\20");
  EXPECT_EQ(EscapeDnValue(" "), "\\20");
  EXPECT_EQ(EscapeDnValue(absl::string_view("a\0b", 3)), "a\\00b");
  EXPECT_EQ(EscapeDnValue("r\xc3\xa9mi"), "r\xc3\xa9mi");
}

TEST(LdapEscapeTest, ExpandsEveryPlaceOnceAndNothingThatANameBrings) {
  EXPECT_EQ(ExpandUsername("(|(uid={username})(mail={username}))", "a"), "(|(uid=a)(mail=a))");
  EXPECT_EQ(ExpandUsername("(uid={username})", "{username}"), "(uid={username})");
  EXPECT_EQ(ExpandUsername("{username}@corp.example", "alice"), "alice@corp.example");
}

// libldap, which is independent of the escapes, reads every byte back as it was, and sees one RDN only.
TEST(LdapEscapeTest, LibldapReadsTheNameBack) {
  for (int first = 1; first < 256; ++first) {
    for (const absl::string_view rest : {"", ",", " ", "#", "\\", "=x,dc=other"}) {
      // Bytes over 0x7f only as UTF-8, as names are.
      const std::string head =
          first < 0x80
              ? std::string(1, static_cast<char>(first))
              : std::string({static_cast<char>(0xc0 | (first >> 6)), static_cast<char>(0x80 | (first & 0x3f))});
      const std::string name = absl::StrCat(head, rest);
      const std::string text = absl::StrCat("uid=", EscapeDnValue(name), ",dc=corp");
      LDAPDN dn = nullptr;
      ASSERT_EQ(ldap_str2dn(text.c_str(), &dn, LDAP_DN_FORMAT_LDAPV3), LDAP_SUCCESS) << text;
      ASSERT_NE(dn[1], nullptr);
      EXPECT_EQ(dn[2], nullptr) << text;
      EXPECT_EQ(dn[0][1], nullptr) << text;
      EXPECT_EQ(std::string(dn[0][0]->la_value.bv_val, dn[0][0]->la_value.bv_len), name);
      ldap_dnfree(dn);
    }
  }
}

}  // namespace
}  // namespace credcache
