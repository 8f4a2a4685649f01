#include "base/secret.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

#include "base/secret_memory.h"

namespace credcache {
namespace {

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Printable<Secret>);
static_assert(!Printable<SecretView>);
static_assert(!std::is_copy_constructible_v<Secret>);

TEST(SecretTest, HoldsAnyBytesAndEndsWithNul) {
  const Secret secret(SecretView(absl::string_view("a\0b", 3)));
  EXPECT_EQ(secret.size(), 3U);
  EXPECT_EQ(secret.c_str()[3], '\0');
  EXPECT_TRUE(secret.view() == SecretView(absl::string_view("a\0b", 3)));
  EXPECT_FALSE(secret.view() == SecretView("ab"));
}

TEST(SecretTest, MovingLeavesNothingBehind) {
  Secret first{SecretView("hunter2")};
  const Secret second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that it is empty is what is tested
  EXPECT_TRUE(second.view() == SecretView("hunter2"));
}

TEST(SecretMemoryTest, IsZeroedAndWritable) {
  SecretMemory memory(200);
  ASSERT_EQ(memory.bytes().size(), 200U);
  for (const uint8_t byte : memory.bytes()) EXPECT_EQ(byte, 0);
  memory.bytes()[199] = 7;
  EXPECT_EQ(memory.bytes()[199], 7);
}

}  // namespace
}  // namespace credcache
