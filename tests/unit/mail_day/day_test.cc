#include "mail_day/day.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace credcache::mail_day {
namespace {

std::vector<Event> Play(const SiteParameters& parameters) {
  Day day(parameters);
  std::vector<Event> events;
  while (const std::optional<Event> event = day.Next()) events.push_back(*event);
  return events;
}

int64_t Count(const std::vector<Event>& events, Sender sender) {
  return std::count_if(events.begin(), events.end(), [sender](const Event& event) {
    return event.kind == Event::Kind::kLogOn && event.sender == sender;
  });
}

int64_t Count(const std::vector<Event>& events, Event::Kind kind) {
  return std::count_if(events.begin(), events.end(), [kind](const Event& event) { return event.kind == kind; });
}

// Whether `count` is what is expected, within four standard deviations of a Poisson number and a little more.
testing::AssertionResult IsAbout(int64_t count, double expected) {
  const double off = std::abs(static_cast<double>(count) - expected);
  if (off <= 4.0 * std::sqrt(expected) + 0.03 * expected) return testing::AssertionSuccess();
  return testing::AssertionFailure() << count << " instead of about " << expected;
}

const SiteParameters kSmall = {.users = 2'000, .spray_made_up_names = 500, .guesses = 300};

TEST(DayTest, TheSameSeedGivesTheSameDay) {
  const std::vector<Event> once = Play(kSmall);
  EXPECT_EQ(once, Play(kSmall));
  SiteParameters other = kSmall;
  other.seed = 2;
  EXPECT_NE(once, Play(other));
}

TEST(DayTest, EventsComeInOrderAndBeforeTheEnd) {
  SiteParameters parameters = kSmall;
  parameters.spray_at = kHour;
  Day day(parameters, 2 * kHour);
  Moment last = 0;
  while (const std::optional<Event> event = day.Next()) {
    ASSERT_GE(event->at, last);
    last = event->at;
  }
  EXPECT_LT(last, 2 * kHour);
  EXPECT_GT(last, 2 * kHour - kMinute);
}

TEST(DayTest, UsersHaveTheDevicesThatTheParametersSay) {
  const Day day({.users = 20'000});
  const Site& site = day.site();
  std::array<int64_t, 4> with = {};
  for (const User& user : site.users) ++with[static_cast<size_t>(user.devices)];
  EXPECT_TRUE(IsAbout(with[1], 0.30 * 20'000));
  EXPECT_TRUE(IsAbout(with[2], 0.45 * 20'000));
  EXPECT_TRUE(IsAbout(with[3], 0.25 * 20'000));
  const auto count = [&](const auto& holds) { return std::count_if(site.devices.begin(), site.devices.end(), holds); };
  // A first phone of those with one device, one of two, two of three; and the other way round.
  EXPECT_TRUE(IsAbout(count([](const Device& device) { return device.kind == Device::Kind::kDesktop; }),
                      (0.30 * 0.30 + 0.45 + 0.25) * 20'000));
  EXPECT_TRUE(IsAbout(count([](const Device& device) { return device.kind == Device::Kind::kPop3Phone; }),
                      0.15 * (0.30 * 0.70 + 0.45 + 2 * 0.25) * 20'000));
  EXPECT_TRUE(IsAbout(count([](const Device& device) { return device.stale; }), 0.005 * 1.95 * 20'000));
}

TEST(DayTest, PhonesPollAtTheirIntervals) {
  // All on POP3, on all day, never without network: a log-on a poll, and 1440 min / interval polls.
  const std::vector<Event> events = Play({.users = 1'000,
                                          .users_with_devices = {1.0, 0.0, 0.0},
                                          .first_is_phone = 1.0,
                                          .stale_devices = 0.0,
                                          .poll_interval = {10 * kMinute, 10 * kMinute},
                                          .poll_missed = 0.0,
                                          .phones_on_pop3 = 1.0,
                                          .phones_quiet_at_night = 0.0,
                                          .mails_a_user = 0.0,
                                          .users_who_change = 0.0,
                                          .spray_made_up_names = 0,
                                          .guesses = 0});
  EXPECT_TRUE(IsAbout(Count(events, Sender::kPhone), 1'000 * 144.0));
  std::vector<Moment> of_one;
  for (const Event& event : events) {
    if (event.user == 5 && event.sender == Sender::kPhone) of_one.push_back(event.at);
  }
  for (size_t poll = 1; poll < of_one.size(); ++poll) {
    const Moment gap = of_one[poll] - of_one[poll - 1];
    EXPECT_GE(gap, 9 * kMinute - 1);
    EXPECT_LE(gap, 11 * kMinute + 1);
  }
}

TEST(DayTest, TheRatesOfALargeDayAddUp) {
  const SiteParameters parameters = {.users = 5'000, .spray_made_up_names = 1'000, .guesses = 700};
  const std::vector<Event> events = Play(parameters);
  EXPECT_EQ(Count(events, Sender::kSpray), 6'000);
  EXPECT_EQ(Count(events, Sender::kGuessing), 700);
  // One device in 200 sends nothing.
  EXPECT_TRUE(IsAbout(Count(events, Sender::kSubmission), 5'000 * 12.0 * 0.995));
  EXPECT_TRUE(IsAbout(Count(events, Event::Kind::kPasswordChange), 50));
  EXPECT_GT(Count(events, Event::Kind::kAdministratorInvalidates), 0);
  EXPECT_GT(Count(events, Sender::kStaleDevice), 0);
  EXPECT_GT(Count(events, Sender::kOldPassword), 0);
  // The peak: desktops come on.
  const auto desktop_between = [&](Moment from, Moment until) {
    return std::count_if(events.begin(), events.end(), [=](const Event& event) {
      return event.sender == Sender::kDesktop && event.kind == Event::Kind::kLogOn && event.at >= from &&
             event.at < until;
    });
  };
  EXPECT_GT(desktop_between(9 * kHour - 5 * kMinute, 9 * kHour + 5 * kMinute),
            4 * desktop_between(8 * kHour, 8 * kHour + 10 * kMinute));
}

TEST(DayTest, TheSprayTriesMadeUpNamesThenEveryUserOnce) {
  std::vector<int32_t> tried;
  for (const Event& event : Play(kSmall)) {
    if (event.kind == Event::Kind::kLogOn && event.sender == Sender::kSpray) tried.push_back(event.user);
  }
  ASSERT_EQ(tried.size(), 2'500U);
  EXPECT_TRUE(std::all_of(tried.begin(), tried.begin() + 500, [](int32_t user) { return user >= 2'000; }));
  std::sort(tried.begin(), tried.end());
  for (size_t index = 0; index < tried.size(); ++index) EXPECT_EQ(tried[index], static_cast<int32_t>(index));
}

TEST(DayTest, OnlyWhoChangedSendsAnotherPasswordAndOnlyAfterTheSwitch) {
  SiteParameters parameters = kSmall;
  parameters.users_who_change = 0.2;
  Day day(parameters);
  std::vector<bool> changed(2'000, false);
  int64_t old_after_change = 0;
  while (const std::optional<Event> event = day.Next()) {
    if (event->kind == Event::Kind::kPasswordChange) changed[static_cast<size_t>(event->user)] = true;
    if (event->kind != Event::Kind::kLogOn || event->sender != Sender::kOldPassword) continue;
    const User& user = day.site().users[static_cast<size_t>(event->user)];
    EXPECT_LT(user.changes_at, kDay);
    if (event->password.number == 0) {
      EXPECT_TRUE(changed[static_cast<size_t>(event->user)]);
      ++old_after_change;
    } else {
      EXPECT_FALSE(changed[static_cast<size_t>(event->user)]) << "known before it was in force";
    }
  }
  EXPECT_GT(old_after_change, 1'000);
}

}  // namespace
}  // namespace credcache::mail_day
