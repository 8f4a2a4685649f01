#include "in_process/stack.h"

#include <string>
#include <utility>
#include <vector>

#include "base/throttle_policy.h"
#include "validator/shielded_validator.h"

namespace credcache::bench {

Stack::Stack(Cache& cache, const CachePolicy& policy, Protection protection, std::shared_ptr<Validator> backend) {
  World& world = TheWorld();
  const std::string realm(workload::kRealm);
  RealmMetrics& metrics = metrics_.ForRealm(realm);
  std::unique_ptr<Validator> outermost = std::make_unique<CachingValidator>(
      CachingOptions{.realm = realm, .realm_id = kRealmId, .policy = policy},
      CachingValidator::Shared{
          .cache = &cache, .digester = world.digester, .flights = flights_, .revisions = *this, .clock = world.clock},
      metrics, std::move(backend));
  if (protection == Protection::kShield) {
    shield_.emplace(ThrottleMemory(), world.clock, world.randomness);
    outermost = std::make_unique<ShieldedValidator>(
        ShieldOptions{.realm = realm, .realm_id = kRealmId, .cache_policy = policy},
        ShieldedValidator::Shared{
            .shield = *shield_, .cache = &cache, .clock = world.clock, .metrics = metrics, .reporter = reporter_},
        std::move(outermost));
  }
  std::vector<Realm> realms;
  realms.push_back({.name = realm, .id = kRealmId, .policy = policy, .validator = std::move(outermost)});
  realms_.emplace(std::move(realms), 0);
}

void Stack::Validate(absl::string_view username, absl::string_view password, Validator::ValidateDone done) const {
  const absl::StatusOr<Realms::Routed> routed = realms_->Route("", username);
  Validator& validator = *routed->realm->validator;
  validator.Validate({.username = routed->username,
                      .name_hash = validator.Expect(routed->username),
                      .password = SecretView(password),
                      .asked_at = TheWorld().clock.Monotonic(),
                      .client_address = &*client_},
                     std::move(done));
}

}  // namespace credcache::bench
