#include "mail_day/agenda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/time/time.h"

namespace credcache::mail_day {
namespace {

using testing::ElementsAre;

TEST(AgendaTest, CallsWhatIsDueInOrderAndAtItsMoment) {
  Agenda agenda;
  const MonotonicTime start = agenda.clock().Monotonic();
  std::vector<Moment> called;
  const auto note = [&] {
    EXPECT_EQ(agenda.clock().Monotonic() - start, absl::Milliseconds(agenda.now()));
    called.push_back(agenda.now());
  };
  agenda.After(30, note);
  agenda.After(10, [&] {
    note();
    agenda.After(5, note);
  });
  agenda.RunUntil(20);
  EXPECT_THAT(called, ElementsAre(10, 15));
  EXPECT_EQ(agenda.now(), 20);
  agenda.RunOut();
  EXPECT_THAT(called, ElementsAre(10, 15, 30));
}

TEST(AgendaTest, AtTheSameMomentWhatCameFirstIsCalledFirst) {
  Agenda agenda;
  std::vector<int> called;
  for (int number = 0; number < 5; ++number) agenda.After(10, [&called, number] { called.push_back(number); });
  agenda.RunUntil(10);
  EXPECT_THAT(called, ElementsAre(0, 1, 2, 3, 4));
}

}  // namespace
}  // namespace credcache::mail_day
