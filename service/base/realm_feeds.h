// How the change feeds of a realm's validators are doing.
#pragma once

#include <atomic>

namespace credcache {

// Thread-safe, without locks: it is looked at for each log-on. The feeds say of themselves what changes.
class RealmFeeds {
 public:
  void CountDown() { down_.fetch_add(1, std::memory_order_relaxed); }
  void CountUp() { down_.fetch_sub(1, std::memory_order_relaxed); }

  // Whether all changes are heard of that any feed would tell; so too where there is no feed.
  bool AllUp() const { return down_.load(std::memory_order_relaxed) == 0; }

 private:
  std::atomic<int> down_{0};
};

}  // namespace credcache
