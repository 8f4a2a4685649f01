// That ThreadSanitizer, with tsan_abseil.cc, takes what Abseil's locks order as ordered, and still finds what they do
// not.
#include <gtest/gtest.h>

#include <thread>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace credcache {
namespace {

constexpr int kRounds = 100;

TEST(TsanAbseilTest, AMutexOrdersWhatItGuards) {
  absl::Mutex mutex;
  int value = 0;
  const auto add = [&] {
    for (int i = 0; i < kRounds; ++i) {
      const absl::MutexLock lock(&mutex);
      ++value;
    }
  };
  std::thread other(add);
  add();
  other.join();
  EXPECT_EQ(value, 2 * kRounds);
}

TEST(TsanAbseilTest, AReaderSeesWhatAWriterWrote) {
  absl::Mutex mutex;
  int value = 0;
  std::thread writer([&] {
    const absl::MutexLock lock(&mutex);
    value = 1;
  });
  std::thread reader([&] {
    const absl::ReaderMutexLock lock(&mutex);
    EXPECT_GE(value, 0);
  });
  if (mutex.TryLock()) {
    value = 2;
    mutex.Unlock();
  }
  writer.join();
  reader.join();
}

TEST(TsanAbseilTest, WaitingForAConditionOrders) {
  absl::Mutex mutex;
  int value = 0;
  const absl::Condition is_set(
      +[](int* at) { return *at != 0; }, &value);
  for (int i = 0; i < kRounds; ++i) {
    std::thread awaiting([&] {
      const absl::MutexLock lock(&mutex);
      mutex.Await(is_set);
      mutex.AwaitWithTimeout(is_set, absl::Milliseconds(1));
      ++value;
    });
    std::thread locking([&] {
      mutex.LockWhenWithTimeout(is_set, absl::Milliseconds(1));
      ++value;
      mutex.Unlock();
    });
    {
      const absl::MutexLock lock(&mutex);
      ++value;
    }
    awaiting.join();
    locking.join();
    value = 0;
  }
}

TEST(TsanAbseilTest, ConditionVariablesOrder) {
  absl::Mutex mutex;
  absl::CondVar changed;
  bool ready = false;
  int value = 0;
  std::thread waiting([&] {
    const absl::MutexLock lock(&mutex);
    while (!ready) changed.WaitWithTimeout(&mutex, absl::Milliseconds(1));
    ++value;
  });
  {
    const absl::MutexLock lock(&mutex);
    ready = true;
    ++value;
    changed.SignalAll();
  }
  waiting.join();
  EXPECT_EQ(value, 2);
}

TEST(TsanAbseilTest, NotificationsAndCountersOrder) {
  for (int i = 0; i < kRounds; ++i) {
    absl::Notification waited_for;
    absl::Notification polled;
    absl::BlockingCounter counted(1);
    int first = 0;
    int second = 0;
    int third = 0;
    std::thread other([&] {
      first = 1;
      waited_for.Notify();
      second = 1;
      polled.Notify();
      third = 1;
      counted.DecrementCount();
    });
    waited_for.WaitForNotification();
    ++first;
    while (!polled.HasBeenNotified()) std::this_thread::yield();
    ++second;
    counted.Wait();
    ++third;
    other.join();
  }
}

TEST(TsanAbseilDeathTest, ARaceBesideALockIsFound) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        absl::Mutex mutex;
        int value = 0;
        std::thread other([&] {
          const absl::MutexLock lock(&mutex);
          ++value;
        });
        ++value;
        other.join();
      },
      "data race");
}

}  // namespace
}  // namespace credcache
