#include "base/identity.h"

#include <gtest/gtest.h>

namespace credcache {
namespace {

TEST(IdentityTest, CopiesShareOneBlock) {
  const Identity alice("alice", "1234-uuid",
                       Shared<IdentityDetails>({.groups = {"staff"}, .attributes = {{"mail", "a@b"}}}));
  const Identity copy = alice;  // NOLINT(performance-unnecessary-copy-initialization): the copy is what is tested
  EXPECT_TRUE(copy.SameBlock(alice));
  EXPECT_EQ(copy.username(), "alice");
  EXPECT_EQ(copy.subject(), "1234-uuid");
  EXPECT_EQ(copy.details().groups, std::vector<std::string>{"staff"});
}

TEST(IdentityTest, NobodyHasNothing) {
  const Identity nobody;
  EXPECT_TRUE(nobody.empty());
  EXPECT_EQ(nobody.username(), "");
  EXPECT_TRUE(nobody.details().groups.empty());
}

TEST(IdentityTest, SurvivesMovesAndSelfAssignment) {
  Identity a("a", "1");
  Identity b = std::move(a);
  b = *&b;
  EXPECT_EQ(b.username(), "a");
}

}  // namespace
}  // namespace credcache
