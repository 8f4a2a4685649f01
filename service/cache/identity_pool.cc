#include "cache/identity_pool.h"

#include <algorithm>

#include "cache/heap_size.h"

namespace credcache {
namespace {

size_t DetailsHeapSize(const IdentityDetails& details) {
  size_t size = HeapSize(sizeof(IdentityDetails) + 2 * sizeof(uint32_t));  // with the count of its handles
  size += HeapSize(details.groups.capacity() * sizeof(std::string));
  for (const auto& group : details.groups) size += TextHeapSize(group);
  size += HeapSize(details.attributes.capacity() * sizeof(details.attributes[0]));
  for (const auto& [name, value] : details.attributes) size += TextHeapSize(name) + TextHeapSize(value);
  return size;
}

}  // namespace

Identity IdentityPool::Intern(const Identity& identity) {
  const IdentityDetails& details = identity.details();
  const bool plain = details.groups.empty() && details.attributes.empty();
  return Identity::InPool(identity.username(), identity.subject(), plain ? Shared<IdentityDetails>() : Share(details));
}

Shared<IdentityDetails> IdentityPool::Share(const IdentityDetails& details) {
  absl::MutexLock lock(&mutex_);
  if (const auto found = details_.find(details); found != details_.end()) return *found;
  if (details_.size() >= drop_at_size_) DropUnused();
  // A copy, which takes no more memory than it needs, and lives only here.
  const auto [fresh, inserted] = details_.insert(Shared<IdentityDetails>(IdentityDetails(details)));
  details_heap_size_ += DetailsHeapSize(**fresh);
  return *fresh;
}

void IdentityPool::Sweep() {
  absl::MutexLock lock(&mutex_);
  DropUnused();
}

void IdentityPool::DropUnused() {
  // Whoever has the only handle is not copied meanwhile: handles are given out under the lock.
  for (auto at = details_.begin(); at != details_.end();) {
    const auto details = at++;
    if (!details->unique()) continue;
    details_heap_size_ -= DetailsHeapSize(**details);
    details_.erase(details);
  }
  drop_at_size_ = std::max<size_t>(1024, 2 * details_.size());
}

size_t IdentityPool::heap_size() const {
  absl::MutexLock lock(&mutex_);
  return details_heap_size_ + FlatTableHeapSize(details_);
}

}  // namespace credcache
