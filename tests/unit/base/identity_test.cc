#include "base/identity.h"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>
#include <vector>

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

TEST(IdentityTest, InThePoolHasRoomBeforeItAndIsFoundByItsNumber) {
  const int64_t before = BlockPool::Global().in_use();
  Identity alice = Identity::InPool("alice", "1234-uuid", Shared<IdentityDetails>({.groups = {"staff"}}));
  EXPECT_GT(BlockPool::Global().in_use(), before);
  const Identity shared = alice;
  const BlockPool::Handle block = std::move(alice).IntoPool();
  std::memset(Identity::RoomOf(block), 0xff, Identity::kRoom);
  EXPECT_EQ(shared.username(), "alice") << "the room is beside the names";
  {
    const Identity other = Identity::SharePooled(block);
    EXPECT_TRUE(other.SameBlock(shared));
    EXPECT_EQ(other.details().groups, std::vector<std::string>{"staff"});
  }
  EXPECT_TRUE(Identity::FromPool(block).SameBlock(shared));
  EXPECT_EQ(shared.subject(), "1234-uuid") << "whoever holds it keeps it";
}

TEST(IdentityTest, GivesItsBlockBackToThePool) {
  const int64_t before = BlockPool::Global().in_use();
  {
    const Identity alice = Identity::InPool("alice", "1234-uuid", {});
    const Identity copy = alice;  // NOLINT(performance-unnecessary-copy-initialization): the copy is what is tested
  }
  EXPECT_EQ(BlockPool::Global().in_use(), before);
}

}  // namespace
}  // namespace credcache
