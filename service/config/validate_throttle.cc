#include "absl/strings/str_cat.h"
#include "config/validate.h"

namespace credcache {
namespace {

constexpr absl::Duration kShortestWindow = absl::Seconds(1);
constexpr absl::Duration kLongestWindow = absl::Hours(168);
constexpr absl::Duration kLongestKnown = absl::Hours(8760);
constexpr int64_t kMostRejections = 1000;
constexpr int kMostProxies = 1024;
// What is remembered takes up to 250, 550 and 8 bytes each.
constexpr int64_t kFewestRecords = 64;
constexpr int64_t kMostRecords = 16'777'216;
constexpr int64_t kMostKnownAddresses = 1'000'000'000;

void ValidateLimit(const config::v1::DistinctLimit& written, const std::string& path, int most, DistinctLimit& limit,
                   Checks& checks) {
  if (written.has_limit()) {
    limit.limit = static_cast<int>(checks.Number(Child(path, "limit"), written.limit(), 0, most));
  }
  if (written.has_window()) {
    limit.window = checks.Length(Child(path, "window"), written.window(), kShortestWindow, kLongestWindow);
  }
}

}  // namespace

BudgetPolicy ValidateBudget(const config::v1::Budget& written, const std::string& path, BudgetPolicy budget,
                            Checks& checks) {
  if (written.has_rejections()) {
    budget.rejections =
        static_cast<int>(checks.Number(Child(path, "rejections"), written.rejections(), 0, kMostRejections));
  }
  if (written.has_window()) {
    budget.window = checks.Length(Child(path, "window"), written.window(), kShortestWindow, kLongestWindow);
  }
  return budget;
}

ThrottleConfig ValidateThrottle(const config::v1::Throttle& written, Checks& checks) {
  ThrottleConfig throttle;
  ThrottlePolicy& policy = throttle.policy;
  policy.dry_run = written.dry_run();
  checks.Count("throttle.proxies", written.proxies_size(), kMostProxies);
  for (int i = 0; i < written.proxies_size(); ++i) {
    const std::optional<IpNetwork> network = IpNetwork::Parse(written.proxies(i));
    if (network.has_value()) {
      policy.proxies.push_back(*network);
    } else {
      checks.source().Fail(Item("throttle.proxies", i),
                           "a network such as 192.0.2.0/24 or 2001:db8::/32, or an address");
    }
  }
  ValidateLimit(written.account(), "throttle.account", kMostWrongPasswords, policy.account, checks);
  ValidateLimit(written.known_address(), "throttle.known_address", kMostWrongPasswords, policy.known_address, checks);
  ValidateLimit(written.address(), "throttle.address", kMostFailedUsers, policy.address, checks);
  if (written.has_known_for()) {
    policy.known_for = checks.Length("throttle.known_for", written.known_for(), absl::Minutes(1), kLongestKnown);
  }
  throttle.budget = ValidateBudget(written.budget(), "throttle.budget", throttle.budget, checks);

  const config::v1::ThrottleMemory& memory = written.memory();
  if (memory.has_accounts()) {
    throttle.memory.accounts =
        checks.Number("throttle.memory.accounts", memory.accounts(), kFewestRecords, kMostRecords);
  }
  if (memory.has_addresses()) {
    throttle.memory.addresses =
        checks.Number("throttle.memory.addresses", memory.addresses(), kFewestRecords, kMostRecords);
  }
  if (memory.has_known_addresses()) {
    throttle.memory.known_addresses =
        checks.Number("throttle.memory.known_addresses", memory.known_addresses(), kFewestRecords, kMostKnownAddresses);
  }
  return throttle;
}

}  // namespace credcache
