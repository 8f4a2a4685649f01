#include "workload/credentials.h"

#include <gtest/gtest.h>

namespace credcache::workload {
namespace {

TEST(CredentialsTest, HaveTheFormsThatEveryBenchmarkUses) {
  Credentials credentials(42);
  EXPECT_EQ(credentials.username(), "user-0000042.example");
  EXPECT_EQ(credentials.password(), "secret-0000042-word");
  EXPECT_EQ(credentials.wrong_password(), "wrong!-0000042-word");
  credentials.Set(kUserLimit - 1);
  EXPECT_EQ(credentials.username(), "user-9999999.example");
  EXPECT_EQ(credentials.password(), "secret-9999999-word");
}

TEST(CredentialsTest, AreFiftyOneBytesTogether) {
  const Credentials credentials;
  EXPECT_EQ(kRealm.size() + credentials.username().size() + credentials.password().size(), 51);
}

}  // namespace
}  // namespace credcache::workload
