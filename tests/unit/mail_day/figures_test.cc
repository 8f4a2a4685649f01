#include "mail_day/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace credcache::mail_day {
namespace {

using testing::HasSubstr;

Figures Example() {
  Figures figures{
      .servers = 3, .users = 50'000, .seed = 7, .hours = 2, .all = {.log_ons = 2'000, .without_backend = 1'900}};
  figures.hits = 1'800;
  figures.negative_hits = 60;
  figures.coalesced = 40;
  figures.by_sender[static_cast<size_t>(Sender::kPhone)] = {.log_ons = 1'900, .without_backend = 1'881};
  figures.by_sender[static_cast<size_t>(Sender::kSpray)] = {.log_ons = 100, .without_backend = 19};
  figures.backend_calls = 200;
  figures.refreshes = 100;
  figures.peak_backend_calls = 5;
  figures.peak_log_ons = 50;
  figures.by_hour = {{.answers = {.log_ons = 1'500, .without_backend = 1'450}, .backend_calls = 150},
                     {.answers = {.log_ons = 500, .without_backend = 450}, .backend_calls = 50}};
  return figures;
}

TEST(FiguresTest, JsonHasThemAll) {
  const nlohmann::json json = nlohmann::json::parse(ToJson(Example()));
  EXPECT_EQ(json["tool"], "credcache-mail-day");
  EXPECT_EQ(json["servers"], 3);
  EXPECT_EQ(json["without_backend_ratio"], 0.95);
  EXPECT_EQ(json["backend_calls_saved_ratio"], 0.9);
  EXPECT_EQ(json["people_without_backend_ratio"], 0.99);
  EXPECT_EQ(json["wrong_answers"], 0);
  EXPECT_EQ(json["peak_backend_calls_per_second"]["without"], 50);
  EXPECT_EQ(json["hours"].size(), 2U);
  EXPECT_EQ(json["hours"][1]["backend_calls"]["with"], 50);
}

TEST(FiguresTest, TextSaysThemForPeople) {
  const std::string text = ToText(Example());
  EXPECT_THAT(text, HasSubstr("3 servers, round robin, 50,000 users"));
  EXPECT_THAT(text, HasSubstr("95.00 %; attacks left out: 99.00 %"));
}

TEST(FiguresTest, TwoRunsAreCompared) {
  Figures one = Example();
  one.servers = 1;
  one.backend_calls = 80;
  EXPECT_THAT(Compare({one, Example()}), HasSubstr("2.50 times the backend calls (200 against 80)"));
  EXPECT_EQ(Compare({one}), "");
}

TEST(FiguresTest, ADayWithoutLogOnsHasNoRatioBelowOne) { EXPECT_EQ(Answers().Ratio(), 1.0); }

}  // namespace
}  // namespace credcache::mail_day
