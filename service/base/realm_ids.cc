#include "base/realm_ids.h"

namespace credcache {

RealmId RealmIds::Intern(absl::string_view name) {
  absl::MutexLock lock(&mutex_);
  return ids_.try_emplace(std::string(name), static_cast<RealmId>(ids_.size())).first->second;
}

std::optional<RealmId> RealmIds::Find(absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto found = ids_.find(name);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

}  // namespace credcache
