#include "backends/kerberos_names.h"

#include <gtest/gtest.h>

#include <string>

namespace credcache {
namespace {

TEST(KerberosNamesTest, WhatMayBeAUsersPrincipal) {
  for (const char* name :
       {"alice", "r\xc3\xa9mi", "two words", "o'brien (x) * %s", "a:b", "#", "$(id)", "pc$", "a.b-c_d"}) {
    EXPECT_TRUE(IsPrincipalComponent(name)) << name;
  }
}

TEST(KerberosNamesTest, WhatWouldBeAnotherPrincipalMayNot) {
  for (const char* name : {"", "alice/admin", "/", "krbtgt/CORP.EXAMPLE", "alice@OTHER", "@", "alice\\@OTHER", "\\"}) {
    EXPECT_FALSE(IsPrincipalComponent(name)) << name;
  }
  EXPECT_FALSE(IsPrincipalComponent(absl::string_view("alice\0", 6)));
}

TEST(KerberosNamesTest, APasswordWithANulIsNobodys) {
  EXPECT_TRUE(IsKerberosPassword("\xff\xfe not UTF-8\n"));
  EXPECT_FALSE(IsKerberosPassword(absl::string_view("first\0second", 12)));
  EXPECT_FALSE(IsKerberosPassword(absl::string_view("first\0", 6)));
}

}  // namespace
}  // namespace credcache
