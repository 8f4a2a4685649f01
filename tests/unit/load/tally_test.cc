#include "load/tally.h"

#include <gtest/gtest.h>

namespace credcache::load {
namespace {

v1::AuthenticateResponse Answer(v1::Outcome outcome, v1::Source source = v1::SOURCE_CACHE) {
  v1::AuthenticateResponse response;
  response.set_outcome(outcome);
  response.set_source(source);
  if (outcome == v1::OUTCOME_ACCEPTED) response.mutable_identity()->set_username("somebody");
  return response;
}

TEST(TallyTest, KnowsWrongAnswers) {
  EXPECT_EQ(WhyUnexpected(Kind::kHit, Answer(v1::OUTCOME_ACCEPTED)), "");
  EXPECT_NE(WhyUnexpected(Kind::kHit, Answer(v1::OUTCOME_REJECTED)), "");
  EXPECT_NE(WhyUnexpected(Kind::kHit, Answer(v1::OUTCOME_THROTTLED)), "");
  EXPECT_EQ(WhyUnexpected(Kind::kWrong, Answer(v1::OUTCOME_REJECTED)), "");
  EXPECT_EQ(WhyUnexpected(Kind::kWrong, Answer(v1::OUTCOME_THROTTLED)), "");
  EXPECT_NE(WhyUnexpected(Kind::kWrong, Answer(v1::OUTCOME_ACCEPTED)), "");
  EXPECT_NE(WhyUnexpected(Kind::kWrong, Answer(v1::OUTCOME_ACCOUNT_DISABLED)), "");
  EXPECT_EQ(WhyUnexpected(Kind::kMiss, Answer(v1::OUTCOME_REJECTED)), "");
  EXPECT_EQ(WhyUnexpected(Kind::kMiss, Answer(v1::OUTCOME_ACCEPTED)), "");
  EXPECT_NE(WhyUnexpected(Kind::kMiss, v1::AuthenticateResponse()), "");
}

TEST(TallyTest, AnAcceptanceHasAnIdentity) {
  v1::AuthenticateResponse response = Answer(v1::OUTCOME_ACCEPTED);
  response.clear_identity();
  EXPECT_NE(WhyUnexpected(Kind::kHit, response), "");
}

TEST(TallyTest, CountsByOutcomeSourceAndKind) {
  Tally tally;
  tally.Count(Kind::kHit, Answer(v1::OUTCOME_ACCEPTED), 100);
  tally.Count(Kind::kMiss, Answer(v1::OUTCOME_REJECTED, v1::SOURCE_BACKEND), 900);
  EXPECT_EQ(tally.answers, 2);
  EXPECT_EQ(tally.outcomes[v1::OUTCOME_ACCEPTED], 1);
  EXPECT_EQ(tally.sources[v1::SOURCE_BACKEND], 1);
  EXPECT_EQ(tally.latency.max(), 900);
  EXPECT_EQ(tally.hit_latency.max(), 100);
}

TEST(TallyTest, CountsWhatALaterServerMaySay) {
  Tally tally;
  tally.Count(Kind::kMiss, Answer(static_cast<v1::Outcome>(77), static_cast<v1::Source>(-1)), 1);
  EXPECT_EQ(tally.outcomes.back(), 1);
  EXPECT_EQ(tally.sources.back(), 1);
  EXPECT_EQ(OutcomeName(tally.outcomes.size() - 1), "unknown");
  EXPECT_EQ(SourceName(tally.sources.size() - 1), "unknown");
  EXPECT_EQ(OutcomeName(v1::OUTCOME_PASSWORD_EXPIRED), "password_expired");
  EXPECT_EQ(SourceName(v1::SOURCE_COALESCED), "coalesced");
}

}  // namespace
}  // namespace credcache::load
