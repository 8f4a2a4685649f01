// Counts different things: the wrong passwords tried for an account, the users that failed at an address.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/throttle_policy.h"
#include "validator/bounded_table.h"

namespace credcache {

// Counts, for each key, the different members seen within a window, each from when it was first seen: the same one
// again changes nothing. Told apart by 32 bits of a keyed hash. At most kMost count.
//
// Thread-safe, in bounded memory: when it is full, keys with few members are forgotten first. Asking for a key costs a
// look at one word, unless it, or another that shares the word, is at its limit.
template <size_t kMost>
class DistinctCounter {
 public:
  // `start`: no later time comes before it.
  DistinctCounter(int64_t keys, MonotonicTime start) : start_(start), table_(keys) {}

  // False: `key` is below the limit. True: it, or another that shares the word, is not.
  bool MayBeFull(uint64_t key, const DistinctLimit& limit, MonotonicTime now) const {
    return limit.limit > 0 && full_until_[FilterOf(key)].load(std::memory_order_relaxed) > Seconds(now);
  }

  // How long until `key` is below the limit; zero: it is.
  absl::Duration FullFor(uint64_t key, const DistinctLimit& limit, MonotonicTime now) const {
    if (!MayBeFull(key, limit, now)) return absl::ZeroDuration();
    const uint32_t seconds = Seconds(now);
    uint32_t until = 0;
    table_.UpdateIfThere(key, [&](const Record& record) { until = FullUntil(record, limit, seconds); });
    return until <= seconds ? absl::ZeroDuration() : absl::Seconds(until - seconds);
  }

  void Add(uint64_t key, uint32_t member, const DistinctLimit& limit, MonotonicTime now) {
    if (limit.limit <= 0) return;
    const uint32_t seconds = Seconds(now);
    uint32_t until = 0;
    table_.Update(key, now, [&](Record& record) {
      Add(record, member, WindowSeconds(limit), seconds);
      record.newest_ends_at = (start_ + absl::Seconds(seconds) + limit.window).nanoseconds();
      until = FullUntil(record, limit, seconds);
    });
    std::atomic<uint32_t>& filter = full_until_[FilterOf(key)];
    uint32_t before = filter.load(std::memory_order_relaxed);
    while (until > before && !filter.compare_exchange_weak(before, until, std::memory_order_relaxed)) {
    }
  }

  // Takes a member out again, whenever it was seen.
  void Remove(uint64_t key, uint32_t member) {
    table_.UpdateIfThere(key, [member](Record& record) {
      for (Member& candidate : record.members) {
        if (candidate.tag == member) candidate = Member();
      }
    });
  }

 private:
  struct Member {
    uint32_t tag = 0;
    uint32_t seen = 0;  // seconds; 0: free
  };
  struct Record {
    std::array<Member, kMost> members = {};
    int64_t newest_ends_at = 0;

    int64_t Weight(MonotonicTime now) const {
      if (newest_ends_at <= now.nanoseconds()) return 0;
      return std::count_if(members.begin(), members.end(), [](const Member& member) { return member.seen != 0; });
    }
  };
  static constexpr size_t kFilter = 4096;

  // From 1 on.
  uint32_t Seconds(MonotonicTime now) const {
    return static_cast<uint32_t>(std::max<int64_t>(0, now.nanoseconds() - start_.nanoseconds()) / 1'000'000'000 + 1);
  }
  static uint32_t WindowSeconds(const DistinctLimit& limit) {
    return static_cast<uint32_t>(std::max<int64_t>(1, absl::ToInt64Seconds(limit.window)));
  }
  static size_t FilterOf(uint64_t key) { return (key >> 40) % kFilter; }

  static void Add(Record& record, uint32_t tag, uint32_t window, uint32_t now) {
    Member* place = record.members.data();  // a free one, else the oldest
    for (Member& member : record.members) {
      if (member.seen != 0 && now - member.seen >= window) member = Member();
      if (member.seen != 0 && member.tag == tag) return;
      if (member.seen < place->seen) place = &member;
    }
    *place = {.tag = tag, .seen = now};
  }

  // When fewer than the limit are left; 0: so it is.
  static uint32_t FullUntil(const Record& record, const DistinctLimit& limit, uint32_t now) {
    const uint32_t window = WindowSeconds(limit);
    std::array<uint32_t, kMost> ends;
    size_t count = 0;
    for (const Member& member : record.members) {
      if (member.seen != 0 && now - member.seen < window) ends[count++] = member.seen + window;
    }
    const auto most = std::min(static_cast<size_t>(limit.limit), kMost);
    if (count < most) return 0;
    const auto nth = ends.begin() + static_cast<std::ptrdiff_t>(count - most);
    std::nth_element(ends.begin(), nth, ends.begin() + static_cast<std::ptrdiff_t>(count));
    return *nth;
  }

  const MonotonicTime start_;
  BoundedTable<Record> table_;
  // When the last key of those that share a word stops being full: no answer, but whether to look.
  std::array<std::atomic<uint32_t>, kFilter> full_until_ = {};
};

}  // namespace credcache
