#include "rpc/invalidator.h"

#include <optional>
#include <utility>

#include "base/limits.h"

namespace credcache {
namespace {

// The answer of two appends for one request: of what one replica or the other still had, both counts matter.
Appended Sum(const Appended& first, Appended second) {
  second.entries_removed += first.entries_removed;
  return second;
}

}  // namespace

Invalidator::Invalidator(CurrentRealms& realms, Journal& journal, Clock& clock)
    : realms_(realms), journal_(journal), clock_(clock) {}

void Invalidator::User(absl::string_view realm, absl::string_view username, Words words, Done done) {
  std::shared_ptr<const Realms> set = realms_.Get();
  absl::StatusOr<Realms::Routed> routed = set->Route(realm, username);
  if (!routed.ok()) return done(routed.status());
  if (routed->realm == nullptr) return done(absl::InvalidArgumentError("names no realm"));

  const credcache::Realm& target = *routed->realm;
  Invalidation known{.target = Invalidation::Target::kUser,
                     .realm = target.name,
                     .usernames = {std::string(routed->username.view())},
                     .lift_retired = words.lift_retired,
                     .reason = std::move(words.reason)};
  journal_.Append(known, [this, set, &target, asked = routed->username, known,
                          done = std::move(done)](absl::StatusOr<Appended> first) mutable {
    if (!first.ok()) return done(std::move(first));
    target.validator->Resolve(
        {.name = asked, .deadline = clock_.Monotonic() + kMaxFlightDuration, .quarantined = true},
        [this, set, asked, known = std::move(known), first = *std::move(first),
         done = std::move(done)](absl::StatusOr<std::optional<Account>> account) mutable {
          if (account.ok() && (!account->has_value() || (*account)->name == asked)) return done(std::move(first));
          const absl::Status resolved = account.status();
          if (resolved.ok()) {
            known.usernames.emplace_back((*account)->name.view());
          } else {
            known.fence_realm = true;
          }
          journal_.Append(std::move(known), [first = std::move(first), resolved,
                                             done = std::move(done)](absl::StatusOr<Appended> second) mutable {
            if (!second.ok()) return done(std::move(second));
            if (!resolved.ok()) {
              return done(absl::UnavailableError(
                  "no backend could say which account this is; what was known by this name is forgotten; retry"));
            }
            done(Sum(first, *std::move(second)));
          });
        });
  });
}

void Invalidator::Realm(absl::string_view realm, Words words, Done done) {
  const std::shared_ptr<const Realms> set = realms_.Get();
  const credcache::Realm* target = set->Find(realm);
  if (target == nullptr) return done(absl::InvalidArgumentError("names no realm"));
  journal_.Append({.target = Invalidation::Target::kRealm,
                   .realm = target->name,
                   .lift_retired = words.lift_retired,
                   .reason = std::move(words.reason)},
                  std::move(done));
}

void Invalidator::All(Words words, Done done) {
  journal_.Append(
      {.target = Invalidation::Target::kAll, .lift_retired = words.lift_retired, .reason = std::move(words.reason)},
      std::move(done));
}

InvalidationApplier::InvalidationApplier(Cache* cache, const RealmIds& realm_ids, const CurrentRealms& realms,
                                         AcceptedPasswords* accepted)
    : cache_(cache), realm_ids_(realm_ids), realms_(realms), accepted_(accepted) {}

// Canonical names, and names that are none, which are nobody's there.
void InvalidationApplier::Lift(const Invalidation& invalidation) {
  if (invalidation.target == Invalidation::Target::kAll) return accepted_->LiftAll();
  const std::optional<RealmId> id = realm_ids_.Find(invalidation.realm);
  if (!id.has_value()) return;
  if (invalidation.target == Invalidation::Target::kRealm) return accepted_->LiftRealm(*id);
  for (const std::string& name : invalidation.usernames) {
    const absl::StatusOr<Username> username = Username::Normalize(name, CaseRule::kSensitive);
    if (username.ok()) accepted_->Lift({*id, *username});
  }
}

int64_t InvalidationApplier::operator()(Revision revision, const Invalidation& invalidation) {
  if (invalidation.lift_retired && accepted_ != nullptr) Lift(invalidation);
  if (cache_ == nullptr) return 0;
  if (invalidation.target == Invalidation::Target::kAll) return cache_->ForgetAll(revision);

  const std::optional<RealmId> id = realm_ids_.Find(invalidation.realm);
  if (!id.has_value()) return 0;  // a realm that this replica never had
  if (invalidation.target == Invalidation::Target::kRealm) return cache_->ForgetRealm(*id, revision);

  const std::shared_ptr<const Realms> set = realms_.Get();
  const Realm* realm = set->Find(invalidation.realm);
  const CachePolicy policy = realm == nullptr ? CachePolicy() : realm->policy;
  int64_t removed = 0;
  for (const std::string& name : invalidation.usernames) {
    // Names in the journal are normalised already; by the sensitive rule that changes nothing.
    const absl::StatusOr<Username> username = Username::Normalize(name, CaseRule::kSensitive);
    if (username.ok()) removed += cache_->Forget({*id, *username}, revision, policy);
  }
  if (invalidation.fence_realm) cache_->FenceRealm(*id, revision);
  return removed;
}

}  // namespace credcache
