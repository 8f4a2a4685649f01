// The realms of the running configuration: which of them a log-on is for, and who validates it there.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/cache_policy.h"
#include "base/current.h"
#include "base/names.h"
#include "validator/validator.h"

namespace credcache {

// A namespace of users with one policy and one stack of validators. Immutable.
struct Realm {
  std::string name;  // as the configuration writes it: what people see
  RealmId id{};
  std::vector<std::string> aliases;
  CaseRule case_rule = CaseRule::kFold;
  CachePolicy policy;
  std::shared_ptr<Validator> validator;  // the shield, on the outside
};

// A set of realms that does not change. Thread-safe.
class Realms {
 public:
  // Names and aliases differ from each other in more than case, and exactly one realm is the default: the
  // configuration's check sees to both.
  Realms(std::vector<Realm> realms, size_t default_index);

  // Where a log-on belongs.
  struct Routed {
    // Not zeroed first, which costs as much as the rest of the routing.
    explicit Routed(const Realm* target) : realm(target) {}

    const Realm* realm;  // null: the request names a realm that does not exist
    Username username;   // of that realm, normalised by its rule
  };

  // Realm: `realm` if not empty; else DOMAIN of `DOMAIN\user`, or domain of `user@domain`, where that is a realm or an
  // alias; else the default realm with the whole name. INVALID_ARGUMENT: `username` is no name (Username::Normalize);
  // the text says why.
  absl::StatusOr<Routed> Route(absl::string_view realm, absl::string_view username) const;

  // By name or alias, in any case; null: there is none.
  const Realm* Find(absl::string_view name) const;
  const std::vector<Realm>& all() const { return realms_; }

 private:
  const std::vector<Realm> realms_;
  const size_t default_index_;
  absl::flat_hash_map<std::string, const Realm*> by_name_;  // folded names and aliases
};

// The set in force, exchanged as a whole at a reload. Thread-safe.
class CurrentRealms {
 public:
  // None, until the first Set.
  CurrentRealms() = default;
  explicit CurrentRealms(std::shared_ptr<const Realms> realms);

  // Requests keep the set that they began with until they end.
  std::shared_ptr<const Realms> Get() const { return current_.Get(); }

  // Puts `realms` in force. The set before it is kept until nobody uses it, see Reap.
  void Set(std::shared_ptr<const Realms> realms);

  // Ends sets that are no longer in force and that nobody uses any more. Their validators wait for what is under way
  // and join threads, so this is for a housekeeping thread; a request that is the last user of a set never does it.
  // Whether none is left.
  bool Reap();

 private:
  Current<Realms> current_;
  absl::Mutex mutex_;
  std::shared_ptr<const Realms> in_force_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<const Realms>> retired_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
