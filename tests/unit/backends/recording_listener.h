#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/change_listener.h"

namespace credcache {

// Remembers what was told.
class RecordingListener final : public ChangeListener {
 public:
  void AccountsChanged(const std::vector<std::string>& usernames) override {
    const absl::MutexLock lock(&mutex_);
    told_.insert(told_.end(), usernames.begin(), usernames.end());
  }
  void EverythingChanged() override {
    const absl::MutexLock lock(&mutex_);
    told_.emplace_back("everything");
  }

  void FeedUp() override {
    const absl::MutexLock lock(&mutex_);
    feed_ = "up";
  }
  void FeedDown(absl::string_view why) override {
    const absl::MutexLock lock(&mutex_);
    feed_ = absl::StrCat("down: ", why);
  }

  // Waits until the feed is as `state` begins: "up", "down".
  bool WaitForFeed(absl::string_view state) {
    const absl::MutexLock lock(&mutex_);
    const auto is = [this, state]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return absl::StartsWith(feed_, state); };
    return mutex_.AwaitWithTimeout(absl::Condition(&is), absl::Seconds(20));
  }

  // All that was told since the last call, once so much was.
  std::vector<std::string> Wait(size_t count) {
    const absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return told_.size() >= count; };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20)));
    return std::exchange(told_, {});
  }

 private:
  absl::Mutex mutex_;
  std::string feed_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> told_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
