#include "backends/typical_hash.h"

namespace credcache {
namespace {

// Of more kinds than these, the further ones do not count.
constexpr size_t kMostKinds = 64;

}  // namespace

void TypicalHash::Note(const PasswordHash& hash) {
  const absl::MutexLock lock(&mutex_);
  const auto found = counts_.find(hash.cost());
  if (found == counts_.end() && counts_.size() >= kMostKinds) return;
  const uint64_t count = ++(found != counts_.end() ? found->second : counts_[std::string(hash.cost())]);
  if (hash.cost() == commonest_.cost()) return;
  const auto best = counts_.find(commonest_.cost());
  if (best == counts_.end() || count > best->second) commonest_ = hash;
}

PasswordHash TypicalHash::Get() const {
  const absl::MutexLock lock(&mutex_);
  return commonest_;
}

}  // namespace credcache
