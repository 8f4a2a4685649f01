// The policies of all realms, for housekeeping.
#pragma once

#include <cstddef>
#include <span>

#include "base/cache_policy.h"
#include "base/names.h"

namespace credcache {

// A view, indexed by RealmId; a realm that is gone from the configuration has none.
class RealmPolicies {
 public:
  explicit RealmPolicies(std::span<const CachePolicy* const> policies) : policies_(policies) {}

  // Null where there is none.
  const CachePolicy* Of(RealmId realm) const {
    const auto index = static_cast<size_t>(realm);
    return index < policies_.size() ? policies_[index] : nullptr;
  }

 private:
  std::span<const CachePolicy* const> policies_;
};

}  // namespace credcache
