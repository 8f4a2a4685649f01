#include "mail_day/replay.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <utility>

namespace credcache::mail_day {
namespace {

// A small day in which much goes on: half of the users change their passwords, some devices know it too early.
ReplayOptions EventfulDay() {
  return {.site = {.users = 200,
                   .stale_devices = 0.02,
                   .users_who_change = 0.5,
                   .changes_known_early = 0.5,
                   .known_early_by = {3 * kSecond, 20 * kSecond},
                   .users_invalidated = 0.1,
                   .spray_made_up_names = 100,
                   .guesses = 200},
          .cache = {.buckets = 8, .max_entries = 10'000}};
}

// Says that it has forgotten, and has not.
class DeafServer final : public Server {
 public:
  using Server::Server;
  void Invalidate(absl::string_view, absl::AnyInvocable<void()> done) override { done(); }
};

std::unique_ptr<Server> MakeDeafServer(const ServerOptions& options, Agenda& agenda, Directory& directory) {
  return std::make_unique<DeafServer>(options, agenda, directory);
}

TEST(ReplayTest, ASmallDayHasNoWrongAnswer) {
  for (const int servers : {1, 3}) {
    ReplayOptions options = EventfulDay();
    options.servers = servers;
    const Figures figures = Replay(options).Run();
    EXPECT_EQ(figures.wrong_answers, 0) << figures.examples[0];
    EXPECT_EQ(figures.stale_window_answers, 0);
    EXPECT_EQ(figures.errors, 0);
    EXPECT_GT(figures.invalidations, 80);
    EXPECT_GT(figures.all.log_ons, 50'000);
    EXPECT_GT(figures.refreshes, 0);
    EXPECT_GT(figures.negative_hits, 0);
    EXPECT_GT(figures.coalesced, 0);
  }
}

TEST(ReplayTest, AServerThatForgetsNothingIsCaught) {
  const Figures figures = Replay(EventfulDay(), MakeDeafServer).Run();
  EXPECT_GT(figures.wrong_answers, 50);
  EXPECT_FALSE(figures.examples.empty());
}

TEST(ReplayTest, OneOfThreeThatForgetsNothingIsCaught) {
  ReplayOptions options = EventfulDay();
  options.servers = 3;
  int made = 0;
  const Figures figures = Replay(options, [&made](const ServerOptions& server, Agenda& agenda, Directory& directory) {
                            return ++made == 2 ? MakeDeafServer(server, agenda, directory)
                                               : Replay::MakeRealServer(server, agenda, directory);
                          }).Run();
  EXPECT_GT(figures.wrong_answers, 0);
}

TEST(ReplayTest, ANewPasswordThatWasTriedTooEarlyIsCaughtToo) {
  // Nobody goes on sending an old password, so that what is wrong can only be a rejection.
  ReplayOptions options = EventfulDay();
  options.site.users_with_devices = {1.0, 0.0, 0.0};
  options.site.changes_known_early = 1.0;
  EXPECT_EQ(Replay(options).Run().wrong_answers, 0);
  EXPECT_GT(Replay(options, MakeDeafServer).Run().wrong_answers, 0);
}

TEST(ReplayTest, BeforeALateInvalidateAnswersAreInTheStaleWindow) {
  ReplayOptions options = EventfulDay();
  options.invalidate_delay = 10 * kMinute;
  const Figures figures = Replay(options).Run();
  EXPECT_EQ(figures.wrong_answers, 0) << figures.examples[0];
  EXPECT_GT(figures.stale_window_answers, 0);
}

TEST(ReplayTest, TheSameSeedGivesTheSameFigures) {
  Figures once = Replay(EventfulDay()).Run();
  Figures again = Replay(EventfulDay()).Run();
  once.real_seconds = again.real_seconds = 0.0;
  EXPECT_EQ(ToJson(once), ToJson(again));
}

TEST(ReplayTest, EveryLogOnIsCountedOnce) {
  ReplayOptions options = EventfulDay();
  options.hours = 12;
  const Figures figures = Replay(options).Run();
  EXPECT_EQ(figures.all.without_backend, figures.hits + figures.negative_hits + figures.coalesced + figures.throttled);
  // Whoever was not answered without the backend caused a call; refreshes are the only others.
  EXPECT_EQ(figures.backend_calls, figures.all.log_ons - figures.all.without_backend + figures.refreshes);
  Answers by_sender;
  for (const Answers& answers : figures.by_sender) by_sender += answers;
  EXPECT_EQ(by_sender.log_ons, figures.all.log_ons);
  EXPECT_EQ(by_sender.without_backend, figures.all.without_backend);
  ASSERT_EQ(figures.by_hour.size(), 12U);
  Figures::Hour sum;
  for (const Figures::Hour& hour : figures.by_hour) {
    sum.answers += hour.answers;
    sum.backend_calls += hour.backend_calls;
  }
  EXPECT_EQ(sum.answers.log_ons, figures.all.log_ons);
  EXPECT_EQ(sum.backend_calls, figures.backend_calls);
}

TEST(ReplayTest, ThreeServersAskTheDirectoryMoreOften) {
  ReplayOptions options = EventfulDay();
  const Figures one = Replay(options).Run();
  options.servers = 3;
  const Figures three = Replay(options).Run();
  EXPECT_EQ(one.all.log_ons, three.all.log_ons);
  EXPECT_GT(three.backend_calls, one.backend_calls * 3 / 2);
}

TEST(ReplayTest, SaysHowFarItIs) {
  ReplayOptions options = EventfulDay();
  int64_t reported = 0;
  const Figures figures = Replay(options).Run([&](const Progress& progress) { reported = progress.log_ons; });
  EXPECT_GT(reported, figures.all.log_ons / 3);
}

}  // namespace
}  // namespace credcache::mail_day
