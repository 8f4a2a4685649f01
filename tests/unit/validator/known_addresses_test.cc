#include "validator/known_addresses.h"

#include <gtest/gtest.h>

#include "base/fake_clock.h"

namespace credcache {
namespace {

constexpr uint64_t kMix = 0x9e3779b97f4a7c15;

class KnownAddressesTest : public testing::Test {
 protected:
  bool Knows(uint64_t pair) { return known_.Contains(pair, absl::Hours(24), clock_.Monotonic()); }
  void Learn(uint64_t pair) { known_.Learn(pair, clock_.Monotonic()); }

  FakeClock clock_;
  KnownAddresses known_{1024, clock_.Monotonic()};
};

TEST_F(KnownAddressesTest, KnowsWhatSucceededUntilThatIsTooLongAgo) {
  EXPECT_FALSE(Knows(kMix));
  Learn(kMix);
  EXPECT_TRUE(Knows(kMix));
  EXPECT_FALSE(Knows(2 * kMix));
  clock_.Advance(absl::Hours(23));
  EXPECT_TRUE(Knows(kMix));
  Learn(kMix);
  clock_.Advance(absl::Hours(23));
  EXPECT_TRUE(Knows(kMix));
  clock_.Advance(absl::Hours(2));
  EXPECT_FALSE(Knows(kMix));
}

TEST_F(KnownAddressesTest, AFullTableForgetsWhatSucceededLongestAgo) {
  const auto in_one_line = [](uint64_t number) { return number << 40; };
  for (uint64_t number = 1; number <= 8; ++number) {
    Learn(in_one_line(number));
    clock_.Advance(absl::Minutes(20));
  }
  Learn(in_one_line(1));
  Learn(in_one_line(9));
  EXPECT_TRUE(Knows(in_one_line(1)));
  EXPECT_FALSE(Knows(in_one_line(2)));
  EXPECT_TRUE(Knows(in_one_line(3)));
  EXPECT_TRUE(Knows(in_one_line(9)));
}

TEST_F(KnownAddressesTest, HoldsAboutAsManyAsItSays) {
  for (uint64_t number = 1; number <= 1024; ++number) Learn(number * kMix);
  int known = 0;
  for (uint64_t number = 1; number <= 1024; ++number) known += Knows(number * kMix) ? 1 : 0;
  EXPECT_GT(known, 800);
}

}  // namespace
}  // namespace credcache
