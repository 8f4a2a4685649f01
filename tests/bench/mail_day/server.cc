#include "mail_day/server.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "validator/budgeted_validator.h"
#include "validator/caching_validator.h"
#include "validator/chain_validator.h"
#include "validator/metered_validator.h"
#include "validator/shielded_validator.h"

namespace credcache::mail_day {
namespace {

constexpr absl::string_view kRealm = "mail.example";

}  // namespace

Server::Server(const ServerOptions& options, Agenda& agenda, Directory& directory)
    : clock_(agenda.clock()),
      randomness_(options.seed),
      realm_metrics_(metrics_.ForRealm(kRealm)),
      cache_(options.cache, clock_, randomness_),
      budget_(ThrottleMemory().accounts, clock_, randomness_),
      shield_(ThrottleMemory(), clock_, randomness_),
      realms_(BuildRealms(options, directory)),
      journal_("simulated", InvalidationApplier(&cache_, realm_ids_, realms_)) {}

std::shared_ptr<const Realms> Server::BuildRealms(const ServerOptions& options, Directory& directory) {
  const CachePolicy& policy = options.policy;
  std::vector<ChainValidator::Link> links;
  links.push_back({.validator = std::make_unique<MeteredValidator>(std::make_unique<DirectoryBackend>(directory),
                                                                   metrics_.ForBackend(kRealm, "model"), clock_)});
  const RealmId id = realm_ids_.Intern(kRealm);
  auto budgeted = std::make_shared<BudgetedValidator>(
      BudgetOptions{.realm = std::string(kRealm), .realm_id = id, .policy = options.budget},
      BudgetedValidator::Shared{.budget = budget_, .metrics = realm_metrics_, .reporter = reporter_},
      std::make_shared<ChainValidator>(std::move(links)));
  auto caching = std::make_unique<CachingValidator>(
      CachingOptions{.realm = std::string(kRealm), .realm_id = id, .policy = policy, .budget = options.budget},
      CachingValidator::Shared{.cache = &cache_,
                               .digester = digester_,
                               .flights = flights_,
                               .revisions = journal_,
                               .clock = clock_,
                               .budget = &budget_},
      realm_metrics_, std::move(budgeted));
  auto shielded = std::make_shared<ShieldedValidator>(
      ShieldOptions{.realm = std::string(kRealm), .realm_id = id, .cache_policy = policy, .policy = options.throttle},
      ShieldedValidator::Shared{
          .shield = shield_, .cache = &cache_, .clock = clock_, .metrics = realm_metrics_, .reporter = reporter_},
      std::move(caching));
  std::vector<Realm> realms;
  realms.push_back({.name = std::string(kRealm), .id = id, .policy = policy, .validator = std::move(shielded)});
  return std::make_shared<const Realms>(std::move(realms), 0);
}

void Server::Authenticate(absl::string_view username, SecretView password, absl::string_view address,
                          Validator::ValidateDone done) {
  const std::optional<IpAddress> parsed = IpAddress::Parse(address);
  const std::shared_ptr<const Realms> realms = realms_.Get();
  const absl::StatusOr<Realms::Routed> routed = realms->Route({}, username);
  if (!routed.ok()) return done(routed.status());
  routed->realm->validator->Validate({.username = routed->username,
                                      .password = password,
                                      .asked_at = clock_.Monotonic(),
                                      .client_address = parsed.has_value() ? &*parsed : nullptr},
                                     std::move(done));
}

void Server::Invalidate(absl::string_view username, absl::AnyInvocable<void()> done) {
  invalidator_.User(kRealm, username, {.reason = "the mail day"},
                    [done = std::move(done)](const absl::StatusOr<Appended>&) mutable { done(); });
}

void Server::KeepHouse() { sweeper_.Tick(*realms_.Get()); }

}  // namespace credcache::mail_day
