#include "cli/output.h"

#include <gtest/gtest.h>

#include "cli/duration.h"
#include "cli/exit_code.h"
#include "cli/table.h"
#include "credcache/v1/invalidate.pb.h"

namespace credcache::cli {
namespace {

TEST(DurationTest, TakesWhatTheConfigurationTakes) {
  EXPECT_EQ(*ParseDuration("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(*ParseDuration("30s"), absl::Seconds(30));
  EXPECT_EQ(*ParseDuration("120m"), absl::Hours(2));
  EXPECT_EQ(*ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseDuration("0"), absl::ZeroDuration());
}

TEST(DurationTest, RefusesTheRest) {
  for (const char* text : {"", "5", "-1s", "inf", "1x", "s", "1 s x", "99999h"}) {
    EXPECT_EQ(ParseDuration(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(DurationTest, IsToldInTwoUnits) {
  EXPECT_EQ(Rough(absl::Microseconds(85)), "85us");
  EXPECT_EQ(Rough(absl::Microseconds(1250)), "1.2ms");
  EXPECT_EQ(Rough(absl::Milliseconds(250)), "250ms");
  EXPECT_EQ(Rough(absl::Seconds(59)), "59s");
  EXPECT_EQ(Rough(absl::Seconds(192)), "3m12s");
  EXPECT_EQ(Rough(absl::Minutes(123)), "2h3m");
  EXPECT_EQ(Rough(absl::Hours(75)), "3d3h");
}

TEST(OutputTest, NumbersAreGrouped) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(1234567), "1,234,567");
}

TEST(OutputTest, BytesHaveUnits) {
  EXPECT_EQ(Bytes(1023), "1023 B");
  EXPECT_EQ(Bytes(1536), "1.5 KiB");
  EXPECT_EQ(Bytes(uint64_t{192} << 20), "192.0 MiB");
}

TEST(OutputTest, ControlCharactersDoNotReachTheTerminal) {
  EXPECT_EQ(Printable("\x1b[2Jalice\n\x7f"), "\\x1b[2Jalice\\x0a\\x7f");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "2J"),
            "\\xc2\\x9b2J");
  EXPECT_EQ(Printable("J\xc3\xb6rg"), "J\xc3\xb6rg");
}

TEST(OutputTest, JsonIsOneLineAndHoldsFieldsAtTheirDefault) {
  v1::InvalidateResponse response;
  response.set_revision(7);
  EXPECT_EQ(ToJson(response), R"({"entriesRemoved":"0","revision":"7","acknowledgements":[]})");
}

TEST(OutputTest, TimesSayHowFarTheyAre) {
  const absl::Time time = absl::FromCivil(absl::CivilSecond(2026, 8, 2, 10, 0, 0), absl::UTCTimeZone());
  EXPECT_EQ(TimeAndDistance(time, time + absl::Seconds(192)), "2026-08-02 10:00:00 UTC (3m12s ago)");
  EXPECT_EQ(TimeAndDistance(time, time - absl::Minutes(5)), "2026-08-02 10:00:00 UTC (in 5m0s)");
}

TEST(TableTest, AlignsByCodePointsAndLeavesNoSpacesAtTheEnd) {
  Table table({{"NAME", Table::Align::kLeft}, {"N"}, {"", Table::Align::kLeft}});
  table.Add({"J\xc3\xb6rg", "10", "x"});
  table.Add({"a", "5"});
  EXPECT_EQ(table.Render(), "NAME   N\nJ\xc3\xb6rg  10  x\na      5\n");
}

TEST(TableTest, WithoutTitlesHasNoFirstLine) {
  Table table({{""}, {""}});
  table.Add({"a", "b"});
  EXPECT_EQ(table.Render(), "a  b\n");
}

TEST(ExitCodeTest, EachOutcomeHasIts) {
  EXPECT_EQ(ExitCodeOf(v1::OUTCOME_ACCEPTED), ExitCode::kDone);
  EXPECT_EQ(ExitCodeOf(v1::OUTCOME_REJECTED), ExitCode::kRejected);
  EXPECT_EQ(ExitCodeOf(v1::OUTCOME_THROTTLED), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(v1::OUTCOME_ACCOUNT_DISABLED), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(v1::OUTCOME_PASSWORD_EXPIRED), ExitCode::kRefused);
}

TEST(ExitCodeTest, AnOutcomeOfTheFutureIsNoAcceptance) {
  EXPECT_EQ(ExitCodeOf(v1::OUTCOME_UNSPECIFIED), ExitCode::kUnavailable);
  EXPECT_EQ(ExitCodeOf(static_cast<v1::Outcome>(99)), ExitCode::kUnavailable);
}

TEST(ExitCodeTest, OnlyInvalidArgumentIsUsage) {
  EXPECT_EQ(ExitCodeOf(grpc::Status::OK), ExitCode::kDone);
  for (int code = 1; code <= 16; ++code) {
    const auto named = static_cast<grpc::StatusCode>(code);
    EXPECT_EQ(ExitCodeOf(grpc::Status(named, "")),
              named == grpc::StatusCode::INVALID_ARGUMENT ? ExitCode::kUsage : ExitCode::kUnavailable);
  }
}

}  // namespace
}  // namespace credcache::cli
