#include "audit/audit_log.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "audit/captured_output.h"
#include "base/fake_clock.h"

namespace credcache {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class AuditLogTest : public ::testing::Test {
 protected:
  void Start(AuditOptions options = {}) { audit_ = std::make_unique<AuditLog>(options, clock_, captured_.output()); }
  // Ends the log, so that all is written.
  std::vector<nlohmann::json> Events() {
    audit_.reset();
    return captured_.events();
  }

  FakeClock clock_;
  CapturedOutput captured_;
  std::unique_ptr<AuditLog> audit_;
};

TEST_F(AuditLogTest, ADecisionSaysWhoFromWhereThroughWhatAndWhy) {
  Start();
  audit_->Record(AuthenticationEvent{.realm = "corp.example",
                                     .username = "alice",
                                     .client_address = "192.0.2.7",
                                     .caller = "imap-front",
                                     .protocol = "imap",
                                     .request_id = "r-1",
                                     .outcome = Outcome::kRejected,
                                     .reason = AuditReason::kLocked,
                                     .source = Source::kBackend,
                                     .duration = absl::Microseconds(4321),
                                     .validated_at = clock_.Now()});
  Events();
  EXPECT_EQ(captured_.lines().at(0),
            R"({"ts":"2027-01-15T08:00:00.000000Z","log":"audit","level":"info","kind":"authentication",)"
            R"("msg":"rejected","realm":"corp.example","username":"alice","client_address":"192.0.2.7",)"
            R"("caller":"imap-front","protocol":"imap","outcome":"rejected","reason":"locked","source":"backend",)"
            R"("duration_us":4321,"request_id":"r-1","validated_at":"2027-01-15T08:00:00.000000Z"})");
}

TEST_F(AuditLogTest, WhatIsNotKnownIsLeftOut) {
  Start();
  audit_->Record(AuthenticationEvent{.username = "alice", .reason = AuditReason::kEmptyPassword});
  const nlohmann::json event = Events().at(0);
  EXPECT_FALSE(event.contains("realm"));
  EXPECT_FALSE(event.contains("client_address"));
  EXPECT_FALSE(event.contains("validated_at"));
  EXPECT_EQ(event["source"], "none");
}

TEST_F(AuditLogTest, ARequestWithoutAnIdGetsOneOfItsOwn) {
  Start();
  audit_->Record(AuthenticationEvent{.username = "alice"});
  audit_->Record(InvalidationEvent{.target = "all"});
  const std::vector<nlohmann::json> events = Events();
  EXPECT_THAT(events.at(0).at("request_id").get<std::string>(), testing::MatchesRegex("[0-9a-f]{8}-1"));
  EXPECT_THAT(events.at(1).at("request_id").get<std::string>(), testing::MatchesRegex("[0-9a-f]{8}-2"));
}

TEST_F(AuditLogTest, AnswersFromTheCacheAreLoggedOnlyWhenAskedFor) {
  Start();
  const AuthenticationEvent hit{.outcome = Outcome::kAccepted, .reason = AuditReason::kOk, .source = Source::kCache};
  EXPECT_FALSE(audit_->Wants(Source::kCache));
  audit_->Record(hit);
  audit_->SetHits(true);
  EXPECT_TRUE(audit_->Wants(Source::kCache));
  audit_->Record(hit);
  audit_->SetHits(false);
  audit_->Record(hit);
  EXPECT_THAT(Events(), SizeIs(1));
}

TEST_F(AuditLogTest, EveryOtherAnswerIsLogged) {
  Start();
  for (const Source source : {Source::kNone, Source::kBackend, Source::kCoalesced, Source::kStale}) {
    audit_->Record(AuthenticationEvent{.source = source});
  }
  EXPECT_THAT(Events(), SizeIs(4));
}

TEST_F(AuditLogTest, DecisionsAreNeverSummedUp) {
  Start();
  for (int i = 0; i < 1000; ++i) audit_->Record(AuthenticationEvent{.username = "alice"});
  EXPECT_THAT(Events(), SizeIs(1000));
}

TEST_F(AuditLogTest, AnInvalidationSaysWhoAskedForWhatAndWhatWent) {
  Start();
  audit_->Record(InvalidationEvent{.target = "user",
                                   .origin = "caller",
                                   .realm = "corp.example",
                                   .username = "alice",
                                   .caller = "helpdesk",
                                   .reason = "left the company",
                                   .request_id = "r-2",
                                   .entries_removed = 2,
                                   .revision = 17});
  const nlohmann::json event = Events().at(0);
  EXPECT_EQ(event["kind"], "invalidation");
  EXPECT_EQ(event["msg"], "forgot user");
  EXPECT_EQ(event["caller"], "helpdesk");
  EXPECT_EQ(event["reason"], "left the company");
  EXPECT_EQ(event["entries_removed"], 2);
  EXPECT_EQ(event["revision"], 17);
  EXPECT_EQ(event["status"], "OK");
}

TEST_F(AuditLogTest, TheProcesssLifeIsLogged) {
  Start();
  audit_->Record(StartEvent{.version = "1", .grpc_address = "127.0.0.1:50051", .admin_address = "127.0.0.1:9090"});
  audit_->Record(ReloadEvent{.applied = true, .needs_restart = {"listen.grpc"}});
  audit_->Record(ReloadEvent{.applied = false, .errors = {"c.yaml:3: realm: …", "c.yaml:9: …"}});
  audit_->Record(StopEvent{.reason = "SIGTERM"});
  const std::vector<nlohmann::json> events = Events();
  ASSERT_THAT(events, SizeIs(4));
  EXPECT_EQ(events[0]["kind"], "start");
  EXPECT_EQ(events[0]["grpc"], "127.0.0.1:50051");
  EXPECT_EQ(events[1]["needs_restart"], nlohmann::json({"listen.grpc"}));
  EXPECT_EQ(events[2]["level"], "error");
  EXPECT_THAT(events[2]["errors"], SizeIs(2));
  EXPECT_EQ(events[3]["reason"], "SIGTERM");
}

TEST_F(AuditLogTest, HostileNamesStayInsideTheirField) {
  Start();
  const std::string hostile = "\",\"outcome\":\"accepted\"\n\r\t\xff\xfe\xc0\xaf\xed\xa0\x80\xe2\x82";
  audit_->Record(AuthenticationEvent{
      .username = hostile, .client_address = hostile, .protocol = hostile, .request_id = absl::string_view("a\0b", 3)});
  const std::vector<nlohmann::json> events = Events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0]["outcome"], "rejected");
  EXPECT_EQ(events[0]["request_id"], std::string("a\0b", 3));
  const std::string line = captured_.lines()[0];
  for (const char c : line) ASSERT_GE(static_cast<unsigned char>(c), 0x20);
}

TEST_F(AuditLogTest, ALongTextIsCutOffBetweenCharacters) {
  Start();
  std::string text = "x";
  while (text.size() < 3000) text += "é";
  audit_->Record(AuthenticationEvent{.client_address = text});
  const auto address = Events().at(0)["client_address"].get<std::string>();
  EXPECT_EQ(address, text.substr(0, 1023) + "…");
}

TEST_F(AuditLogTest, DroppedEventsAreReportedOnce) {
  captured_.Hold();
  Start({.queue_size = 4});
  audit_->Record(AuthenticationEvent{});
  captured_.WaitForAWriter();
  for (int i = 0; i < 10; ++i) audit_->Record(AuthenticationEvent{});
  audit_->Tick();  // takes the place of a seventh
  captured_.Release();
  captured_.WaitForLines(5);
  const std::vector<nlohmann::json> events = Events();
  ASSERT_THAT(events, SizeIs(6));
  EXPECT_EQ(events[4]["kind"], "audit_dropped");
  EXPECT_EQ(events[4]["dropped"], 6);
  EXPECT_EQ(events[4]["level"], "warning");
  EXPECT_EQ(events[5]["dropped"], 1);
}

TEST_F(AuditLogTest, NothingDroppedIsNotMentioned) {
  Start();
  audit_->Tick();
  EXPECT_THAT(Events(), IsEmpty());
}

}  // namespace
}  // namespace credcache
