// What the configuration says of guessing: how much of it is answered. The reasons are in service/docs/credcached.yaml.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "base/ip_address.h"

namespace credcache {

// At most `limit` different ones within `window`; each counts from when it was first seen. 0: no limit.
struct DistinctLimit {
  int limit;
  absl::Duration window;

  friend bool operator==(const DistinctLimit&, const DistinctLimit&) = default;
};

// How many rejections of an account the directory may be caused, before it locks it.
struct BudgetPolicy {
  int rejections = 4;  // 0: no budget
  // Without a rejection for so long, all is forgiven: directories' windows start anew at each one.
  absl::Duration window = absl::Minutes(30);

  friend bool operator==(const BudgetPolicy&, const BudgetPolicy&) = default;
};

struct ThrottlePolicy {
  bool dry_run = false;  // nobody is throttled; what would have been is counted and logged
  std::vector<IpNetwork> proxies;
  DistinctLimit account = {.limit = 10, .window = absl::Hours(1)};        // wrong passwords, from unknown addresses
  DistinctLimit known_address = {.limit = 20, .window = absl::Hours(1)};  // wrong passwords, from one known address
  DistinctLimit address = {.limit = 20, .window = absl::Hours(1)};        // users who failed there
  absl::Duration known_for = absl::Hours(720);  // an address is known for an account after a success

  friend bool operator==(const ThrottlePolicy&, const ThrottlePolicy&) = default;
};

// How much is remembered of failures; more take the place of what matters least.
struct ThrottleMemory {
  int64_t accounts = 65'536;
  int64_t addresses = 16'384;
  int64_t known_addresses = 1'048'576;  // pairs of account and address

  friend bool operator==(const ThrottleMemory&, const ThrottleMemory&) = default;
};

// What a DistinctLimit may ask for: that many are told apart.
inline constexpr int kMostWrongPasswords = 32;
inline constexpr int kMostFailedUsers = 64;

}  // namespace credcache
