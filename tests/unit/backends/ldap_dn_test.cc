#include "backends/ldap_dn.h"

#include <gtest/gtest.h>

namespace credcache {
namespace {

TEST(LdapDnTest, OneNameMayBeWrittenInManyWays) {
  EXPECT_EQ(ComparableDn("UID=alice, OU=People"), ComparableDn("uid=Alice,ou=people"));
  EXPECT_EQ(ComparableDn("cn=a\\2cb,dc=x"), ComparableDn("CN=a\\,b,DC=x"));
  EXPECT_NE(ComparableDn("cn=a,dc=x"), ComparableDn("cn=b,dc=x"));
}

TEST(LdapDnTest, WhatLiesBelow) {
  EXPECT_TRUE(IsBelow("CN=alice,OU=People,DC=x", "ou=people,dc=x"));
  EXPECT_TRUE(IsBelow("ou=people,dc=x", "OU=people,DC=x"));
  EXPECT_FALSE(IsBelow("dc=x", "ou=people,dc=x"));
  EXPECT_FALSE(IsBelow("cn=alice,ou=morepeople,dc=x", "ou=people,dc=x"));
  EXPECT_FALSE(IsBelow("cn=a\\,ou=people,dc=x", "ou=people,dc=x"));
}

TEST(LdapDnTest, ExtendedOnesAreTakenApart) {
  constexpr char kExtended[] = "<GUID=15F0>;<SID=0105>;CN=a>;b,DC=x";
  EXPECT_EQ(PlainDn(kExtended), "CN=a>;b,DC=x");
  EXPECT_EQ(GuidInDn(kExtended), "15f0");
  EXPECT_EQ(PlainDn("CN=a,DC=x"), "CN=a,DC=x");
  EXPECT_EQ(GuidInDn("CN=<GUID=1>,DC=x"), "");
  EXPECT_EQ(PlainDn("<GUID=15"), "<GUID=15");
  EXPECT_EQ(GuidInDn("<GUID=15"), "");
}

}  // namespace
}  // namespace credcache
