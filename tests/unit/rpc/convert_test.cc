#include "rpc/convert.h"

#include <gtest/gtest.h>

#include "rpc/status.h"

namespace credcache {
namespace {

google::protobuf::Duration DurationOf(int64_t seconds, int32_t nanos) {
  google::protobuf::Duration duration;
  duration.set_seconds(seconds);
  duration.set_nanos(nanos);
  return duration;
}

TEST(ConvertTest, DurationsAreCheckedAndExact) {
  EXPECT_EQ(*FromProto(DurationOf(0, 0), "f"), absl::ZeroDuration());
  EXPECT_EQ(*FromProto(DurationOf(1, 500'000'000), "f"), absl::Milliseconds(1500));
  EXPECT_EQ(*FromProto(DurationOf(315'576'000'000, 0), "f"), absl::Seconds(315'576'000'000));
  for (const auto& [seconds, nanos] : std::vector<std::pair<int64_t, int32_t>>{{-1, 0},
                                                                               {0, -1},
                                                                               {1, -1},
                                                                               {0, 1'000'000'000},
                                                                               {315'576'000'001, 0},
                                                                               {INT64_MAX, INT32_MAX},
                                                                               {INT64_MIN, 0}}) {
    EXPECT_EQ(ReasonOf(FromProto(DurationOf(seconds, nanos), "f").status()), ErrorReason::kInvalidField)
        << seconds << " " << nanos;
  }
}

TEST(ConvertTest, TimesGoBelow1970AndKeepTheirNanoseconds) {
  google::protobuf::Timestamp proto;
  ToProto(absl::FromUnixNanos(1'500'000'000), &proto);
  EXPECT_EQ(proto.seconds(), 1);
  EXPECT_EQ(proto.nanos(), 500'000'000);
  ToProto(absl::FromUnixNanos(-1), &proto);
  EXPECT_EQ(proto.seconds(), -1);
  EXPECT_EQ(proto.nanos(), 999'999'999);
}

TEST(ConvertTest, AnIdentityWithoutASubjectHasOneOfItsNames) {
  const auto realms = std::make_shared<const Realms>(std::vector<Realm>{{.name = "corp.example"}}, 0);
  const LogOnAnswer answer{
      .verdict = Verdict{.decision = Decision::kAccepted, .identity = Identity("alice", ""), .source = Source::kCache},
      .realms = realms,
      .realm = &realms->all()[0]};
  v1::AuthenticateResponse response;
  ToProto(answer, &response);
  EXPECT_EQ(response.identity().subject(), "corp.example/alice");
  EXPECT_EQ(response.source(), v1::SOURCE_CACHE);
  EXPECT_FALSE(response.has_expires_at());
}

TEST(ConvertTest, EverySourceHasItsName) {
  for (const auto& [source, proto] :
       std::vector<std::pair<Source, v1::Source>>{{Source::kNone, v1::SOURCE_UNSPECIFIED},
                                                  {Source::kCache, v1::SOURCE_CACHE},
                                                  {Source::kBackend, v1::SOURCE_BACKEND},
                                                  {Source::kCoalesced, v1::SOURCE_COALESCED},
                                                  {Source::kStale, v1::SOURCE_STALE}}) {
    v1::AuthenticateResponse response;
    ToProto(LogOnAnswer{.verdict = Verdict{.source = source}}, &response);
    EXPECT_EQ(response.source(), proto);
    EXPECT_EQ(response.outcome(), v1::OUTCOME_REJECTED);
  }
}

TEST(ConvertTest, NothingIsLeftOfTheResultBefore) {
  const auto realms = std::make_shared<const Realms>(std::vector<Realm>{{.name = "corp.example"}}, 0);
  const IdentityDetails details{.groups = {"staff", "admins"}, .attributes = {{"mail", "alice@corp.example"}}};
  const auto accepted = [&](Identity identity) {
    return LogOnAnswer{.verdict = Verdict{.decision = Decision::kAccepted,
                                          .identity = std::move(identity),
                                          .source = Source::kCache,
                                          .validated_at = absl::FromUnixSeconds(5),
                                          .expires_at = absl::FromUnixSeconds(9)},
                       .realms = realms,
                       .realm = &realms->all()[0]};
  };
  const std::vector<LogOnAnswer> answers = {
      accepted(Identity("alice", "a-long-subject", Shared<IdentityDetails>(details))),
      accepted(Identity("bob", "")),
      {.verdict = Verdict{.decision = Decision::kWrongPassword, .source = Source::kCache}},
      {.verdict = MakeFieldError("password.username", "is empty")},
      {.verdict = MakeTooManyInFlight()},
  };
  v1::AuthenticateResult reused;
  for (const LogOnAnswer& before : answers) {
    for (const LogOnAnswer& answer : answers) {
      ToProto(before, &reused);
      ToProto(answer, &reused);
      v1::AuthenticateResult fresh;
      ToProto(answer, &fresh);
      EXPECT_EQ(reused.SerializeAsString(), fresh.SerializeAsString());
    }
  }
}

TEST(ConvertTest, AnErrorBecomesTheElementsError) {
  v1::AuthenticateResult result;
  ToProto(LogOnAnswer{.verdict = MakeTooManyInFlight()}, &result);
  EXPECT_EQ(result.error().code(), static_cast<int>(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace credcache
