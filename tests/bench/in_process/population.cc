#include "in_process/population.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <random>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"

namespace credcache::bench {
namespace {

constexpr size_t kDrawn = 1 << 20;
constexpr double kZipfExponent = 0.99;
// Primes, so that every user is met: the k-th most popular is user k * kScatter modulo their number.
constexpr uint64_t kScatter = 1'000'003;

int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0;
  int64_t resident = 0;
  statm >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

std::vector<uint32_t> Draw(uint32_t users, Popularity popularity) {
  std::mt19937_64 random(users);
  std::vector<uint32_t> drawn(kDrawn);
  if (popularity == Popularity::kUniform) {
    std::uniform_int_distribution<uint32_t> uniform(0, users - 1);
    for (uint32_t& user : drawn) user = uniform(random);
    return drawn;
  }
  std::vector<double> weights(users);
  for (uint32_t rank = 0; rank < users; ++rank) weights[rank] = std::pow(rank + 1.0, -kZipfExponent);
  std::discrete_distribution<uint32_t> zipf(weights.begin(), weights.end());
  for (uint32_t& user : drawn) user = static_cast<uint32_t>(zipf(random) * kScatter % users);
  return drawn;
}

}  // namespace

World& TheWorld() {
  static auto& world = *new World();
  return world;
}

Username NameOf(absl::string_view username) { return *Username::Normalize(username, CaseRule::kFold); }

Identity MakeIdentity(absl::string_view username, uint32_t user) {
  return Identity(username, absl::StrFormat("0f8fad5b-d9cb-469f-a165-%012d", user),
                  Shared<IdentityDetails>(
                      {.groups = {"cn=staff,ou=groups,dc=corp,dc=example", "cn=mail,ou=groups,dc=corp,dc=example",
                                  "cn=vpn,ou=groups,dc=corp,dc=example"}}));
}

FillOutcome Fill(Cache& cache, uint32_t user, FillRequest::Verdict verdict) {
  World& world = TheWorld();
  const bool accepted = verdict == FillRequest::Verdict::kAccepted;
  workload::Credentials credentials(user);
  const Username name = NameOf(credentials.username());
  const Digest digest = world.digester.Compute(
      workload::kRealm, name.view(), SecretView(accepted ? credentials.password() : credentials.wrong_password()));
  return cache.Fill({.asked = name,
                     .account = {kRealmId, name},
                     .digest = digest,
                     .verdict = verdict,
                     .identity = accepted ? MakeIdentity(name.view(), user) : Identity(),
                     .validated_at = world.clock.Monotonic(),
                     .revision = Revision()},
                    world.policy);
}

Population& PopulationOf(uint32_t users) {
  static absl::Mutex mutex;
  static auto& populations = *new std::map<uint32_t, Population>();
  absl::MutexLock lock(&mutex);
  const auto found = populations.find(users);
  if (found != populations.end()) return found->second;
  World& world = TheWorld();
  const int64_t before = ResidentBytes();
  // A quarter more than there are users, since buckets fill unevenly and negative entries have an eighth for
  // themselves.
  const int64_t max_entries = std::max<int64_t>(CacheOptions().max_entries, int64_t{users} * 5 / 4);
  auto cache = std::make_unique<Cache>(CacheOptions{.max_entries = max_entries}, world.clock, world.randomness);
  for (uint32_t user = 0; user < users; ++user) Fill(*cache, user, FillRequest::Verdict::kAccepted);
  const double resident = static_cast<double>(ResidentBytes() - before) / users;
  return populations.emplace(users, Population{users, std::move(cache), resident}).first->second;
}

const std::vector<uint32_t>& Order(uint32_t users, Popularity popularity) {
  static absl::Mutex mutex;
  static auto& orders = *new std::map<std::pair<uint32_t, Popularity>, std::vector<uint32_t>>();
  absl::MutexLock lock(&mutex);
  std::vector<uint32_t>& order = orders[{users, popularity}];
  if (order.empty()) order = Draw(users, popularity);
  return order;
}

}  // namespace credcache::bench
