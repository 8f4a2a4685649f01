#include "config/ldap_syntax.h"

#include <gtest/gtest.h>

#include <string>

namespace credcache {
namespace {

TEST(LdapFilterTest, TakesWhatRfc4515Allows) {
  for (const char* filter :
       {"(uid={username})", "(&(objectClass=person)(|(uid={username})(mail={username})))", "(!(uid={username}))",
        "(uid=*)", "(cn=)", "(age>=3)", "(age<=3)", "(cn~=x)", "(cn:dn:2.5.13.2:=x)", "(:2.5.13.2:=x)", "(cn:dn:=x)",
        "(cn=a\\28b\\29)", " ( & (a=b) (c=d) ) ", "(2.5.4.3=x)", "(cn;lang-de=x)", "(cn=a=b)",
        "(memberOf:1.2.840.113556.1.4.1941:=cn=x,dc=y)"}) {
    EXPECT_TRUE(IsLdapFilter(filter)) << filter;
  }
}

TEST(LdapFilterTest, RefusesTheRest) {
  for (const char* filter :
       {"",          "uid=x",     "(uid=x",     "uid=x)",         "(uid=x))",       "((uid=x)", "()",
        "(&)",       "(|)",       "(!)",        "(!(a=b)(c=d))",  "(uid)",          "(=x)",     "(uid=a(b)",
        "(uid=a)b)", "(uid=\\2)", "(uid=\\zz)", "(uid=x)(uid=y)", "({username}=x)", "(u d=x)",  "(:=x)",
        "(:dn:=x)",  "(&(a=b)c)"}) {
    EXPECT_FALSE(IsLdapFilter(filter)) << filter;
  }
}

TEST(LdapFilterTest, IsNotFooledByDepth) {
  const std::string deep = std::string(100'000, '(') + "a=b" + std::string(100'000, ')');
  EXPECT_FALSE(IsLdapFilter(deep));
  std::string nested = "(a=b)";
  for (int i = 0; i < 20; ++i) nested = "(!" + nested + ")";
  EXPECT_TRUE(IsLdapFilter(nested));
  for (int i = 0; i < 20'000; ++i) nested = "(!" + nested;
  EXPECT_FALSE(IsLdapFilter(nested));
}

std::string Parsed(absl::string_view text) {
  const auto url = ParseLdapUrl(text);
  if (!url.has_value()) return "none";
  return url->url + (url->tls ? " tls" : "") + (url->loopback ? " loopback" : "");
}

TEST(LdapUrlTest, WritesThePortOut) {
  EXPECT_EQ(Parsed("ldap://dc1.corp.example:3890"), "ldap://dc1.corp.example:3890");
  EXPECT_EQ(Parsed("ldap://dc1.corp.example"), "ldap://dc1.corp.example:389");
  EXPECT_EQ(Parsed("ldaps://dc1.corp.example/"), "ldaps://dc1.corp.example:636 tls");
  EXPECT_EQ(Parsed("ldap://[::1]"), "ldap://[::1]:389 loopback");
  EXPECT_EQ(Parsed("ldaps://127.0.0.1:1"), "ldaps://127.0.0.1:1 tls loopback");
}

TEST(LdapUrlTest, RefusesWhatNamesMoreThanAServer) {
  for (const char* text :
       {"", "ldap://", "ldap:///", "ldap://h:0", "ldap://h:65536", "ldapi:///run/x", "http://h", "h:389", "LDAP://h",
        "ldap://u:p@h:389", "ldap://h:389/dc=x", "ldap://h?uid", "ldap://h h"}) {
    EXPECT_EQ(Parsed(text), "none") << text;
  }
}

}  // namespace
}  // namespace credcache
