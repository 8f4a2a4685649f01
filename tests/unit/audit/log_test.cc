#include "audit/log.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "audit/captured_output.h"
#include "base/fake_clock.h"

namespace credcache {
namespace {

using ::testing::SizeIs;

class LogTest : public ::testing::Test {
 protected:
  void Start(LogOptions options = {}) { log_ = std::make_unique<Log>(options, clock_, captured_.output()); }
  void ReportTimes(int times, absl::string_view kind = "flood") {
    for (int i = 0; i < times; ++i) log_->Report(Severity::kWarning, kind, "again");
  }
  // Ends the log, so that all is written.
  std::vector<nlohmann::json> Events() {
    log_.reset();
    return captured_.events();
  }

  FakeClock clock_;
  CapturedOutput captured_;
  std::unique_ptr<Log> log_;
};

TEST_F(LogTest, ALineSaysWhenHowGraveAndWhat) {
  Start();
  clock_.Advance(absl::Microseconds(1'234'567));
  log_->Report(Severity::kError, "backend_down", "ldap://127.0.0.1:389: no answer");
  EXPECT_EQ(Events().at(0).dump(),
            R"({"kind":"backend_down","level":"error","log":"service","msg":"ldap://127.0.0.1:389: no answer",)"
            R"("ts":"2027-01-15T08:00:01.234567Z"})");
  EXPECT_THAT(captured_.lines().at(0),
              ::testing::StartsWith(R"({"ts":"2027-01-15T08:00:01.234567Z","log":"service",)"));
}

TEST_F(LogTest, ARequestsLineNamesIt) {
  Start();
  log_->Report(Severity::kInfo, "call", "odd", "req-7");
  EXPECT_EQ(Events().at(0).at("request_id"), "req-7");
}

TEST_F(LogTest, WhatIsBelowTheLevelIsNotWritten) {
  Start({.level = Severity::kWarning});
  log_->Report(Severity::kInfo, "a", "quiet");
  log_->Report(Severity::kWarning, "a", "loud");
  log_->SetLevel(Severity::kInfo);
  log_->Report(Severity::kInfo, "a", "now heard");
  EXPECT_THAT(Events(), SizeIs(2));
}

TEST_F(LogTest, AFloodIsSummedUpWhenItsIntervalEnds) {
  Start();
  ReportTimes(47);
  clock_.Advance(absl::Seconds(9));
  log_->Tick();
  clock_.Advance(absl::Seconds(1));
  log_->Tick();
  log_->Tick();
  const std::vector<nlohmann::json> events = Events();
  ASSERT_THAT(events, SizeIs(11));
  EXPECT_EQ(events[9]["msg"], "again");
  EXPECT_EQ(events[10]["msg"], "37 more of this kind within 10s");
  EXPECT_EQ(events[10]["kind"], "flood");
  EXPECT_EQ(events[10]["level"], "warning");
  EXPECT_EQ(events[10]["summed_up"], 37);
}

TEST_F(LogTest, TheSumComesBeforeTheNextIntervalsFirstLine) {
  Start();
  ReportTimes(12);
  clock_.Advance(absl::Seconds(10));
  ReportTimes(1);
  const std::vector<nlohmann::json> events = Events();
  ASSERT_THAT(events, SizeIs(12));
  EXPECT_EQ(events[10]["summed_up"], 2);
  EXPECT_EQ(events[11]["msg"], "again");
}

TEST_F(LogTest, KindsDoNotCountAgainstEachOther) {
  Start();
  ReportTimes(11, "a");
  ReportTimes(10, "b");
  const std::vector<nlohmann::json> events = Events();
  ASSERT_THAT(events, SizeIs(21));  // ten of each, and the sum of `a`
  EXPECT_EQ(events[20]["kind"], "a");
}

TEST_F(LogTest, ASteadyTrickleIsNeverSummedUp) {
  Start();
  for (int i = 0; i < 100; ++i) {
    ReportTimes(1);
    clock_.Advance(absl::Seconds(1));
    log_->Tick();
  }
  EXPECT_THAT(Events(), SizeIs(100));
}

TEST_F(LogTest, PendingSumsAreWrittenAtTheEnd) {
  Start();
  ReportTimes(15);
  EXPECT_EQ(Events().back()["summed_up"], 5);
}

TEST_F(LogTest, KindsMadeUpAtRunTimeTakeNoUnboundedMemory) {
  Start({.queue_size = 10'000});
  for (int i = 0; i < 5000; ++i) ReportTimes(1, absl::StrCat("kind-", i));
  // 256 of their own, then ten of "other", then its sum.
  EXPECT_THAT(Events(), SizeIs(256 + 10 + 1));
}

TEST_F(LogTest, DroppedLinesAreReported) {
  captured_.Hold();
  Start({.lines_per_kind = 100, .queue_size = 4});
  ReportTimes(1);
  captured_.WaitForAWriter();
  ReportTimes(10);
  log_->Tick();
  captured_.Release();
  const std::vector<nlohmann::json> events = Events();
  EXPECT_EQ(events.back()["kind"], "log_dropped");
  EXPECT_EQ(events.back()["dropped"], 6);
}

TEST_F(LogTest, HostileTextIsOneLineOfJson) {
  Start();
  constexpr char kHostile[] = "x\n{\"level\":\"error\"}\r\0\x1b[31m\xff\"";
  log_->Report(Severity::kInfo, "a", absl::string_view(kHostile, sizeof kHostile - 1));
  log_->Report(Severity::kInfo, "a", std::string(100'000, '\xc3'));
  const std::vector<nlohmann::json> events = Events();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0]["level"], "info");
  for (const std::string& line : captured_.lines()) {
    for (const char c : line) ASSERT_GE(static_cast<unsigned char>(c), 0x20);
  }
  EXPECT_LT(captured_.lines()[1].size(), 20'000u);
}

TEST_F(LogTest, ThreadsMayReportAtOnce) {
  Start({.queue_size = 10'000});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] { ReportTimes(1000); });
  }
  for (int i = 0; i < 100; ++i) log_->Tick();
  for (std::thread& thread : threads) thread.join();
  const std::vector<nlohmann::json> events = Events();
  ASSERT_THAT(events, SizeIs(11));
  EXPECT_EQ(events[10]["summed_up"], 3990);
}

}  // namespace
}  // namespace credcache
