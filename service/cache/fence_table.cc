#include "cache/fence_table.h"

#include <algorithm>

#include "cache/heap_size.h"

namespace credcache {

void FenceTable::RaiseFloor(Revision revision) { floor_ = std::max(floor_, revision); }

void FenceTable::RaiseRealm(RealmId realm, Revision revision) {
  Revision& fence = realms_[realm];
  fence = std::max(fence, revision);
}

void FenceTable::RaiseName(uint64_t name, Revision revision, absl::Duration quarantine, MonotonicTime now) {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    names_.splice(names_.end(), names_, found->second);
  } else {
    if (names_.size() >= kMaxNames) DropOldest();
    by_name_[name] = names_.insert(names_.end(), NameFence{.name = name});
  }
  NameFence& fence = names_.back();
  fence.revision = std::max(fence.revision, revision);
  fence.quarantined_until = std::max(fence.quarantined_until, now + quarantine);
  fence.kept_until = std::max(fence.quarantined_until, now + kKept);
}

bool FenceTable::Refuses(uint64_t name, RealmId realm, Revision began) const {
  if (began < floor_) return true;
  if (const auto found = realms_.find(realm); found != realms_.end() && began < found->second) return true;
  const auto found = by_name_.find(name);
  return found != by_name_.end() && began < found->second->revision;
}

bool FenceTable::Quarantined(uint64_t name, MonotonicTime now) const {
  if (now < all_quarantined_until_) return true;
  const auto found = by_name_.find(name);
  return found != by_name_.end() && now < found->second->quarantined_until;
}

void FenceTable::Sweep(MonotonicTime now) {
  // Kept times follow the order of raising, but for differing quarantines; what waits behind a longer one is bounded.
  while (!names_.empty() && names_.front().kept_until <= now) DropOldest();
}

void FenceTable::DropOldest() {
  const NameFence& oldest = names_.front();
  RaiseFloor(oldest.revision);
  all_quarantined_until_ = std::max(all_quarantined_until_, oldest.quarantined_until);
  by_name_.erase(oldest.name);
  names_.pop_front();
}

size_t FenceTable::heap_size() const {
  return FlatTableHeapSize(realms_) + FlatTableHeapSize(by_name_) +
         names_.size() * HeapSize(sizeof(NameFence) + 2 * sizeof(void*));
}

}  // namespace credcache
