#include "validator/known_addresses.h"

#include <algorithm>

#include "absl/numeric/bits.h"

namespace credcache {
namespace {

constexpr int kMinuteBits = 24;
constexpr int64_t kMinute = 60'000'000'000;  // ns
constexpr uint64_t kMinuteMask = (uint64_t{1} << kMinuteBits) - 1;
// A success is written down anew only when the last one was so many minutes ago: nearly all of them write nothing.
constexpr uint64_t kWorthWriting = 10;

uint64_t TagOf(uint64_t pair) { return pair & ~kMinuteMask; }
uint64_t MinuteOf(uint64_t way) { return way & kMinuteMask; }

}  // namespace

KnownAddresses::KnownAddresses(int64_t pairs, MonotonicTime start)
    : start_(start),
      lines_(absl::bit_ceil(static_cast<size_t>(std::max<int64_t>(1, pairs / static_cast<int64_t>(kWays))))),
      memory_(lines_ * sizeof(Line)) {}

bool KnownAddresses::Contains(uint64_t pair, absl::Duration known_for, MonotonicTime now) const {
  for (const std::atomic<uint64_t>& place : LineOf(pair).ways) {
    const uint64_t way = place.load(std::memory_order_relaxed);
    if (way == 0 || TagOf(way) != TagOf(pair)) continue;
    return absl::Minutes(static_cast<int64_t>(Minute(now) - MinuteOf(way))) < known_for;
  }
  return false;
}

void KnownAddresses::Learn(uint64_t pair, MonotonicTime now) {
  const uint64_t minute = Minute(now);
  std::atomic<uint64_t>* oldest = nullptr;
  uint64_t oldest_minute = kMinuteMask + 1;
  for (std::atomic<uint64_t>& place : LineOf(pair).ways) {
    const uint64_t way = place.load(std::memory_order_relaxed);
    if (way != 0 && TagOf(way) == TagOf(pair)) {
      if (minute - MinuteOf(way) >= kWorthWriting) place.store(TagOf(pair) | minute, std::memory_order_relaxed);
      return;
    }
    if (MinuteOf(way) >= oldest_minute) continue;
    oldest = &place;
    oldest_minute = MinuteOf(way);
  }
  oldest->store(TagOf(pair) | minute, std::memory_order_relaxed);
}

uint64_t KnownAddresses::Minute(MonotonicTime now) const {
  const int64_t nanoseconds = std::max<int64_t>(0, now.nanoseconds() - start_.nanoseconds());
  return std::min(static_cast<uint64_t>(nanoseconds / kMinute) + 1, kMinuteMask);
}

}  // namespace credcache
