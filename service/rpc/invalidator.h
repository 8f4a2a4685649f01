// Forgetting on demand: finds out which account is meant, and lets the journal have it forgotten everywhere.
#pragma once

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/realm_ids.h"
#include "cache/cache.h"
#include "journal/journal.h"
#include "validator/accepted_passwords.h"
#include "validator/realms.h"

namespace credcache {

// Thread-safe.
class Invalidator {
 public:
  // INVALID_ARGUMENT: no such realm, or no name. UNAVAILABLE: see User.
  using Done = absl::AnyInvocable<void(absl::StatusOr<Appended>)>;

  Invalidator(CurrentRealms& realms, Journal& journal, Clock& clock);

  struct Words {
    std::string reason;
    bool lift_retired = false;  // Invalidation::lift_retired
  };

  // Forgets the account that `username` (as sent by a caller) stands for. What is known here under that name goes at
  // once; then the backend is asked which account it is, and that one goes under all its names. Where the backend
  // cannot answer, every flight of the realm is fenced too, and the answer is UNAVAILABLE: forgotten is then what this
  // cache knew, and the caller retries.
  void User(absl::string_view realm, absl::string_view username, Words words, Done done);
  void Realm(absl::string_view realm, Words words, Done done);
  void All(Words words, Done done);

 private:
  CurrentRealms& realms_;
  Journal& journal_;
  Clock& clock_;
};

// What a journal calls to have an invalidation applied at this replica. Returns the number of entries that went.
class InvalidationApplier {
 public:
  // All outlive it. `cache` may be null: the cache is off. `accepted` may be null: there is nothing to lift.
  InvalidationApplier(Cache* cache, const RealmIds& realm_ids, const CurrentRealms& realms,
                      AcceptedPasswords* accepted = nullptr);
  int64_t operator()(Revision revision, const Invalidation& invalidation);

 private:
  void Lift(const Invalidation& invalidation);

  Cache* cache_;
  const RealmIds& realm_ids_;
  const CurrentRealms& realms_;
  AcceptedPasswords* accepted_;
};

}  // namespace credcache
