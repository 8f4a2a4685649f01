// Housekeeping of the cache: drops what no log-on can be answered from any more, a few buckets at a time.
#pragma once

#include "absl/time/time.h"
#include "cache/cache.h"
#include "validator/realms.h"

namespace credcache {

// Not thread-safe: one thread keeps house. `cache` outlives it; null: the cache is off, there is nothing to do.
class Sweeper {
 public:
  // How often Tick is to be called; each bucket is then swept about once a minute.
  static constexpr absl::Duration kInterval = absl::Seconds(1);

  explicit Sweeper(Cache* cache) : cache_(cache) {}

  // Sweeps the next few buckets by the policies of `realms`; entries of other realms go.
  void Tick(const Realms& realms);

 private:
  Cache* const cache_;
  int next_bucket_ = 0;
};

}  // namespace credcache
