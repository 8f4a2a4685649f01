#include "load/mix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace credcache::load {
namespace {

using ::testing::HasSubstr;

TEST(MixTest, KindsThatAreNotNamedHaveNoWeight) {
  const absl::StatusOr<Mix> mix = ParseMix("hit=98,miss=2");
  ASSERT_TRUE(mix.ok()) << mix.status();
  EXPECT_EQ(mix->weight(Kind::kHit), 98);
  EXPECT_EQ(mix->weight(Kind::kMiss), 2);
  EXPECT_EQ(mix->weight(Kind::kWrong), 0);
  EXPECT_EQ(mix->total(), 100);
}

TEST(MixTest, WeightsMayBeFractionsInAnyOrder) {
  const absl::StatusOr<Mix> mix = ParseMix("wrong=0.5,hit=99.5");
  ASSERT_TRUE(mix.ok()) << mix.status();
  EXPECT_EQ(mix->weight(Kind::kWrong), 0.5);
  EXPECT_EQ(mix->weight(Kind::kHit), 99.5);
}

struct Mistake {
  const char* text;
  const char* why;
};

class MixMistakeTest : public ::testing::TestWithParam<Mistake> {};

TEST_P(MixMistakeTest, SaysWhatIsWrongAndWhatWasExpected) {
  const absl::StatusOr<Mix> mix = ParseMix(GetParam().text);
  ASSERT_TRUE(absl::IsInvalidArgument(mix.status())) << mix.status();
  EXPECT_THAT(std::string(mix.status().message()), HasSubstr(GetParam().why));
  EXPECT_THAT(std::string(mix.status().message()), HasSubstr("expected weights such as"));
}

INSTANTIATE_TEST_SUITE_P(All, MixMistakeTest,
                         ::testing::Values(Mistake{"", "no kind"}, Mistake{"hits=1", "no kind \"hits\""},
                                           Mistake{"hit", "no weight"}, Mistake{"hit=", "no weight"},
                                           Mistake{"hit=x", "\"x\" is no weight"}, Mistake{"hit=-1", "no weight"},
                                           Mistake{"hit=inf", "no weight"}, Mistake{"hit=nan", "no weight"},
                                           Mistake{"hit=1,hit=2", "twice"}, Mistake{"hit=0,miss=0", "zero"},
                                           Mistake{"hit=1,", "no kind"}));

}  // namespace
}  // namespace credcache::load
