#include "validator/sweeper.h"

#include <cstddef>
#include <vector>

namespace credcache {
namespace {

// In so many intervals each bucket is swept once.
constexpr int kIntervals = 60;

}  // namespace

void Sweeper::Tick(const Realms& realms) {
  if (cache_ == nullptr) return;
  std::vector<const CachePolicy*> policies;
  for (const Realm& realm : realms.all()) {
    const auto id = static_cast<size_t>(realm.id);
    if (policies.size() <= id) policies.resize(id + 1, nullptr);
    policies[id] = &realm.policy;
  }
  const int buckets = cache_->buckets();
  for (int swept = 0; swept < (buckets + kIntervals - 1) / kIntervals; ++swept) {
    cache_->Sweep(next_bucket_, policies);
    next_bucket_ = (next_bucket_ + 1) % buckets;
  }
}

}  // namespace credcache
