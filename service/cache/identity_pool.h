// Shares what many identities have in common: groups and attributes.
#pragma once

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/synchronization/mutex.h"
#include "base/identity.h"
#include "base/shared.h"

namespace credcache {

// Thread-safe, under a lock of its own that is held together with no other.
class IdentityPool {
 public:
  // The same identity in a block of its own, in the BlockPool, with details that equal ones share.
  Identity Intern(const Identity& identity);
  // Lets go of details that no identity has any longer.
  void Sweep();
  // Bytes that the pool and the details take.
  size_t heap_size() const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(const IdentityDetails& details) const { return absl::HashOf(details); }
    size_t operator()(const Shared<IdentityDetails>& details) const { return absl::HashOf(*details); }
  };
  struct Equal {
    using is_transparent = void;
    static const IdentityDetails& Of(const IdentityDetails& details) { return details; }
    static const IdentityDetails& Of(const Shared<IdentityDetails>& details) { return *details; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Of(a) == Of(b);
    }
  };

  Shared<IdentityDetails> Share(const IdentityDetails& details);
  void DropUnused() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  absl::flat_hash_set<Shared<IdentityDetails>, Hash, Equal> details_ ABSL_GUARDED_BY(mutex_);
  size_t details_heap_size_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t drop_at_size_ ABSL_GUARDED_BY(mutex_) = 1024;  // so that it stays in proportion without being swept
};

}  // namespace credcache
