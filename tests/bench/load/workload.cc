#include "load/workload.h"

#include <cmath>

#include "absl/random/uniform_int_distribution.h"
#include "absl/random/uniform_real_distribution.h"

namespace credcache::load {
namespace {

std::vector<double> Weights(uint32_t users, double exponent) {
  std::vector<double> weights(users);
  for (uint32_t user = 0; user < users; ++user) weights[user] = std::pow(user + 1.0, -exponent);
  return weights;
}

}  // namespace

Popularity::Popularity(uint32_t users, double exponent) : users_(users) {
  if (exponent <= 0) return;
  const std::vector<double> weights = Weights(users, exponent);
  skewed_.emplace(weights.begin(), weights.end());
}

uint32_t Popularity::Draw(std::mt19937_64& random) {
  if (skewed_.has_value()) return (*skewed_)(random);
  return absl::uniform_int_distribution<uint32_t>(0, users_ - 1)(random);
}

Workload::Workload(const WorkloadOptions& options)
    : options_(options),
      random_(options.seed),
      popularity_(options.users, options.zipf),
      next_miss_(options.first_miss) {}

LogOn Workload::Next() {
  const Mix& mix = options_.mix;
  const double total = mix.total();
  Kind kind = Kind::kHit;
  if (mix.weight(Kind::kHit) < total) {
    const double draw = absl::uniform_real_distribution<double>(0, total)(random_);
    if (draw >= mix.weight(Kind::kHit)) {
      kind = draw < mix.weight(Kind::kHit) + mix.weight(Kind::kMiss) ? Kind::kMiss : Kind::kWrong;
    }
  }
  if (kind != Kind::kMiss) return {kind, popularity_.Draw(random_)};
  // Millions of misses later they start again.
  if (next_miss_ == workload::kUserLimit) next_miss_ = options_.first_miss;
  return {kind, next_miss_++};
}

uint32_t Workload::AnyMissUser() {
  if (next_miss_ == options_.first_miss) return next_miss_;
  return absl::uniform_int_distribution<uint32_t>(options_.first_miss, next_miss_ - 1)(random_);
}

}  // namespace credcache::load
