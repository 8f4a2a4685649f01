#include "load/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace credcache::load {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

v1::AuthenticateResponse Hit() {
  v1::AuthenticateResponse response;
  response.set_outcome(v1::OUTCOME_ACCEPTED);
  response.set_source(v1::SOURCE_CACHE);
  return response;
}

RunResult Result() {
  RunResult result;
  result.seconds = 0.5;
  for (uint64_t i = 1; i <= 100; ++i) result.tally.Count(Kind::kHit, Hit(), i * 100);
  result.tally.messages = 100;
  return result;
}

Subject Unary() { return {.target = "127.0.0.1:50051", .connections = 4, .options = {}}; }

TEST(ReportTest, TheJsonIsTheContract) {
  const std::string text = ToJson(Unary(), Result());
  EXPECT_THAT(text, Not(HasSubstr("\n")));
  const Json json = Json::parse(text);
  EXPECT_EQ(json["tool"], "credcache-load");
  EXPECT_EQ(json["partial"], false);
  EXPECT_TRUE(json["error"].is_null());
  EXPECT_EQ(json["target"], "127.0.0.1:50051");
  EXPECT_EQ(json["method"], "unary");
  EXPECT_EQ(json["connections"], 4);
  EXPECT_EQ(json["in_flight"], 64);
  EXPECT_EQ(json["batch"], 1);
  EXPECT_EQ(json["users"], 1000);
  EXPECT_EQ(json["zipf"], 0);
  EXPECT_TRUE(json["rate"].is_null());
  EXPECT_EQ(json["seconds"], 0.5);
  EXPECT_EQ(json["requests"], 100);
  EXPECT_EQ(json["errors"], 0);
  EXPECT_EQ(json["requests_per_second"], 200);
  EXPECT_EQ(json["messages"], 100);
  EXPECT_EQ(json["outcomes"], Json({{"accepted", 100}}));
  EXPECT_EQ(json["sources"], Json({{"cache", 100}}));
  EXPECT_EQ(json["unexpected"], 0);
  EXPECT_EQ(json["late_starts"], 0);
}

TEST(ReportTest, LatenciesAreMicroseconds) {
  const Json json = Json::parse(ToJson(Unary(), Result()));
  for (const char* key : {"latency_us", "hit_latency_us"}) {
    const Json& latency = json[key];
    EXPECT_EQ(latency["min"], 0.1);
    EXPECT_EQ(latency["mean"], 5.05);
    EXPECT_NEAR(latency["p50"].get<double>(), 5.0, 0.05);
    EXPECT_NEAR(latency["p90"].get<double>(), 9.0, 0.09);
    EXPECT_NEAR(latency["p99"].get<double>(), 9.9, 0.099);
    EXPECT_EQ(latency["p99_9"], 10);
    EXPECT_EQ(latency["max"], 10);
  }
  uint64_t sum = 0;
  double last = 0;
  for (const Json& bucket : json["histogram_us"]) {
    EXPECT_GT(bucket[0].get<double>(), last);
    last = bucket[0].get<double>();
    sum += bucket[1].get<uint64_t>();
  }
  EXPECT_EQ(sum, 100);
}

TEST(ReportTest, APartialRunSaysWhy) {
  RunResult result = Result();
  result.partial = true;
  result.error = RunError::kUnavailable;
  result.message = "the server \"left\"";
  const Json json = Json::parse(ToJson(Unary(), result));
  EXPECT_EQ(json["partial"], true);
  EXPECT_EQ(json["error"], "the server \"left\"");
  EXPECT_EQ(json["requests"], 100);
  EXPECT_THAT(ToText(Unary(), result), HasSubstr("PARTIAL"));
}

TEST(ReportTest, NothingMeasuredIsZero) {
  const Json json = Json::parse(ToJson(Unary(), {.partial = true}));
  EXPECT_EQ(json["requests_per_second"], 0);
  EXPECT_EQ(json["latency_us"]["p50"], 0);
  EXPECT_TRUE(json["histogram_us"].empty());
}

TEST(ReportTest, TheTextTellsOfAnOpenLoopHowFarItFellBehind) {
  Subject subject = Unary();
  subject.options.rate = 1000;
  RunResult result = Result();
  result.late_starts = 17;
  result.latest_start = std::chrono::milliseconds(23);
  result.never_started = 5;
  EXPECT_THAT(ToText(subject, result), HasSubstr("17 begun more than 1 ms late, the latest by 23.0 ms; 5 never"));
  EXPECT_THAT(ToText(Unary(), result), Not(HasSubstr("open loop")));
}

}  // namespace
}  // namespace credcache::load
