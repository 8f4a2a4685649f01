// Caches full of users, and the order in which benchmarks ask for them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/cache_policy.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/random.h"
#include "cache/cache.h"
#include "cache/digest.h"
#include "workload/credentials.h"

namespace credcache::bench {

inline constexpr RealmId kRealmId{1};

// What every benchmark shares: real clocks, real randomness, the default policy.
struct World {
  SystemClock clock;
  SystemRandomness randomness;
  Digester digester{randomness};
  CachePolicy policy;
};
World& TheWorld();

// A name as a front end would send it, through the normalisation that every log-on goes through.
Username NameOf(absl::string_view username);

// The entry that the project's memory target speaks of: a 20-byte name, a 36-byte subject, and three groups that others
// have too.
Identity MakeIdentity(absl::string_view username, uint32_t user);
FillOutcome Fill(Cache& cache, uint32_t user, FillRequest::Verdict verdict);

// A cache in which the users from 0 on are accepted. Thread-safe as Cache is.
struct Population {
  uint32_t users;
  std::unique_ptr<Cache> cache;
  double resident_bytes_per_entry;  // as the kernel counts, while it was filled
};

// Made at the first call for each size, and kept: benchmarks take turns on them. Thread-safe.
Population& PopulationOf(uint32_t users);

// A million users below `users`, drawn once: what drawing costs, and waiting for it, is not measured.
enum class Popularity : int64_t { kUniform, kZipf };  // kZipf: the exponent is 0.99; who is popular lies scattered
const std::vector<uint32_t>& Order(uint32_t users, Popularity popularity);

// A walk along such an order, from a place of the thread's own.
class Walk {
 public:
  Walk(uint32_t users, Popularity popularity, int thread)
      : order_(Order(users, popularity)), at_(static_cast<size_t>(thread) * 397'000 % order_.size()) {}
  uint32_t Next() {
    if (++at_ == order_.size()) at_ = 0;
    return order_[at_];
  }

 private:
  const std::vector<uint32_t>& order_;
  size_t at_;
};

}  // namespace credcache::bench
