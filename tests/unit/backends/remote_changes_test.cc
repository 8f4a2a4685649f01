#include "backends/remote_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "backends/recording_reporter.h"
#include "base/fake_clock.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Listener final : public ChangeListener {
 public:
  void AccountsChanged(const std::vector<std::string>& usernames) override { names += usernames.size(); }
  void EverythingChanged() override { ++everything; }
  void FeedUp() override {}
  void FeedDown(absl::string_view /*why*/) override {}

  size_t names = 0;
  int everything = 0;
};

class RemoteChangesTest : public ::testing::Test {
 protected:
  RemoteChangesTest() {
    pacer_.Begin({});
    EXPECT_EQ(listener_.everything, 1);
    clock_.Advance(absl::Minutes(1));
  }
  static RemoteChanges Names(size_t count) {
    return {.usernames = std::vector<std::string>(count, "alice"), .weight = count};
  }

  FakeClock clock_;
  RecordingReporter reporter_;
  Listener listener_;
  RemoteChangePacer pacer_{"unix:/plugin", clock_, reporter_, listener_};
};

TEST_F(RemoteChangesTest, NamesGoOnAtOnce) {
  pacer_.Take(Names(1));
  pacer_.Take({});
  pacer_.Take(Names(kMaxRemoteNames - 2));
  EXPECT_EQ(listener_.names, kMaxRemoteNames - 1);
  EXPECT_EQ(listener_.everything, 1);
  EXPECT_LE(pacer_.paused_until(), clock_.Monotonic());
  EXPECT_THAT(reporter_.Take(), IsEmpty());
}

TEST_F(RemoteChangesTest, MoreNamesThanThatAreEverythingOnceASecond) {
  pacer_.Take(Names(kMaxRemoteNames));
  pacer_.Take(Names(1));
  EXPECT_EQ(listener_.names, kMaxRemoteNames);
  EXPECT_EQ(listener_.everything, 2);
  EXPECT_EQ(pacer_.due(), MonotonicTime::InfiniteFuture());
  EXPECT_EQ(pacer_.paused_until(), clock_.Monotonic() + absl::Seconds(1));
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("unix:/plugin: more than 10000 changes a second")));

  clock_.Advance(absl::Milliseconds(999));
  pacer_.Take(Names(1));
  EXPECT_EQ(listener_.everything, 2);
  EXPECT_EQ(pacer_.due(), clock_.Monotonic() + absl::Milliseconds(1));
  pacer_.Tell();
  EXPECT_EQ(listener_.everything, 2);
  clock_.Advance(absl::Milliseconds(1));
  pacer_.Tell();
  EXPECT_EQ(listener_.everything, 3);
  EXPECT_EQ(pacer_.due(), MonotonicTime::InfiniteFuture());
  // The next second is as good as any.
  pacer_.Take(Names(1));
  EXPECT_EQ(listener_.names, kMaxRemoteNames + 1);
}

TEST_F(RemoteChangesTest, OneMessageCanBeTooMuch) {
  pacer_.Take({.weight = kMaxRemoteNames + 1});
  EXPECT_EQ(listener_.everything, 2);
  EXPECT_EQ(listener_.names, 0U);
}

TEST_F(RemoteChangesTest, NamesGoOnWhileEverythingIsOwed) {
  pacer_.Take({.everything = true});
  pacer_.Take({.everything = true});
  pacer_.Take(Names(3));
  EXPECT_EQ(listener_.everything, 2);
  EXPECT_EQ(listener_.names, 3U);
  EXPECT_EQ(pacer_.due(), clock_.Monotonic() + absl::Seconds(1));
}

TEST_F(RemoteChangesTest, WhatIsOwedIsToldWhenTheStreamEnds) {
  pacer_.Take({.everything = true});
  pacer_.End();
  EXPECT_EQ(listener_.everything, 2);
  pacer_.Take({.everything = true});
  pacer_.Take({.everything = true});
  pacer_.End();
  EXPECT_EQ(listener_.everything, 4);
}

TEST_F(RemoteChangesTest, AMistakeIsReportedOnceASecond) {
  for (int i = 0; i < 100; ++i) pacer_.Take({.everything = true, .mistake = "is wrong"});
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("a message of Watch is wrong; the whole realm is forgotten")));
  EXPECT_EQ(listener_.everything, 2);
  clock_.Advance(absl::Seconds(1));
  pacer_.Take({.everything = true, .mistake = "is wrong"});
  EXPECT_THAT(reporter_.Take(), SizeIs(1));
  EXPECT_EQ(listener_.everything, 3);
}

}  // namespace
}  // namespace credcache
