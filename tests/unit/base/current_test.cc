#include "base/current.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace credcache {
namespace {

TEST(CurrentTest, IsNothingUntilSet) {
  const Current<std::string> current;
  EXPECT_EQ(current.Get(), nullptr);
  EXPECT_EQ(Current<std::string>(nullptr).Get(), nullptr);
}

TEST(CurrentTest, EveryReaderHasTheSameValue) {
  const auto value = std::make_shared<const std::string>("one");
  const Current<std::string> current(value);
  EXPECT_EQ(current.Get(), value);
  EXPECT_EQ(current.Get(), current.Get());
}

TEST(CurrentTest, ReadersKeepWhatTheyBeganWith) {
  auto first = std::make_shared<const std::string>("one");
  const std::weak_ptr<const std::string> watch = first;
  Current<std::string> current(std::move(first));
  std::shared_ptr<const std::string> reader = current.Get();
  current.Set(std::make_shared<const std::string>("two"));
  EXPECT_EQ(*current.Get(), "two");
  EXPECT_EQ(*reader, "one");
  reader.reset();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace credcache
