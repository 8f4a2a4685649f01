#include "in_process/stack.h"

#include <string>
#include <utility>
#include <vector>

namespace credcache::bench {

Stack::Stack(Cache& cache, const CachePolicy& policy, std::shared_ptr<Validator> backend) {
  World& world = TheWorld();
  const std::string realm(workload::kRealm);
  auto caching = std::make_shared<CachingValidator>(
      CachingOptions{.realm = realm, .realm_id = kRealmId, .policy = policy},
      CachingValidator::Shared{
          .cache = &cache, .digester = world.digester, .flights = flights_, .revisions = *this, .clock = world.clock},
      metrics_.ForRealm(realm), std::move(backend));
  std::vector<Realm> realms;
  realms.push_back({.name = realm, .id = kRealmId, .policy = policy, .validator = std::move(caching)});
  realms_.emplace(std::move(realms), 0);
}

void Stack::Validate(absl::string_view username, absl::string_view password, Validator::ValidateDone done) const {
  const absl::StatusOr<Realms::Routed> routed = realms_->Route("", username);
  routed->realm->validator->Validate(
      {.username = routed->username, .password = SecretView(password), .asked_at = TheWorld().clock.Monotonic()},
      std::move(done));
}

}  // namespace credcache::bench
