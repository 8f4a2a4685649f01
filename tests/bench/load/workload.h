// Which log-on comes next.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "absl/random/discrete_distribution.h"
#include "load/mix.h"
#include "workload/credentials.h"

namespace credcache::load {

struct LogOn {
  Kind kind = Kind::kHit;
  uint32_t user = 0;
};

// Users by popularity: user 0 is the most popular, user k is asked for in proportion to 1 / (k + 1)^exponent. An
// exponent of zero makes all alike. A draw takes constant time; with an exponent 16 bytes are kept for each user.
class Popularity {
 public:
  Popularity(uint32_t users, double exponent);

  uint32_t Draw(std::mt19937_64& random);

 private:
  const uint32_t users_;
  std::optional<absl::discrete_distribution<uint32_t>> skewed_;
};

struct WorkloadOptions {
  uint32_t users = 1000;
  double zipf = 0;
  Mix mix;
  uint32_t first_miss = workload::kFirstMissUser;
  uint64_t seed = 1;
};

// Not thread-safe. The same options give the same log-ons in the same order.
class Workload {
 public:
  explicit Workload(const WorkloadOptions& options);

  LogOn Next();
  // A user who was asked for as a miss; the first, if none was yet.
  uint32_t AnyMissUser();

 private:
  const WorkloadOptions options_;
  std::mt19937_64 random_;
  Popularity popularity_;
  uint32_t next_miss_;
};

}  // namespace credcache::load
