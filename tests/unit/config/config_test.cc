#include "config/config.h"

#include <gtest/gtest.h>

namespace credcache {
namespace {

TEST(PermissionSetTest, HoldsWhatWasAdded) {
  PermissionSet set = {Permission::kAuthenticate, Permission::kStats};
  EXPECT_TRUE(set.Contains(Permission::kStats));
  EXPECT_FALSE(set.Contains(Permission::kInvalidateAll));
  EXPECT_FALSE(set.empty());
  EXPECT_TRUE(PermissionSet().empty());
  for (int i = 0; i < kPermissions; ++i) EXPECT_TRUE(PermissionSet::All().Contains(static_cast<Permission>(i)));
}

TEST(NameTest, IsWhatTheConfigurationWrites) {
  EXPECT_EQ(Name(Permission::kInvalidateAll), "invalidate_all");
  EXPECT_EQ(Name(Permission::kStats), "stats");
  EXPECT_EQ(Name(LogLevel::kWarning), "warning");
}

}  // namespace
}  // namespace credcache
