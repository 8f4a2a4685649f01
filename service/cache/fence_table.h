// The fences and quarantines of one bucket: what its accounts' flights may no longer fill.
#pragma once

#include <cstdint>
#include <list>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/revision.h"

namespace credcache {

// A fence at a revision refuses every flight that began at a lower one. Realms and names have fences of their own; the
// floor is everybody's. A name's fence outlives every flight from before it, and its quarantine; where it is dropped
// nevertheless, or after that, the floor rises to it: forgetting one refuses more, never less. Not thread-safe.
class FenceTable {
 public:
  // How long a name's fence is kept at least, unless there are too many.
  static constexpr absl::Duration kKept = absl::Minutes(5);  // kMaxFlightDuration, several times
  static constexpr size_t kMaxNames = 512;

  void RaiseFloor(Revision revision);
  void RaiseRealm(RealmId realm, Revision revision);
  // `name`: the keyed hash of a name in its realm. Quarantined for `quarantine` from `now` on.
  void RaiseName(uint64_t name, Revision revision, absl::Duration quarantine, MonotonicTime now);

  bool Refuses(uint64_t name, RealmId realm, Revision began) const;
  bool Quarantined(uint64_t name, MonotonicTime now) const;

  // Drops the names' fences that nobody needs any longer.
  void Sweep(MonotonicTime now);
  size_t heap_size() const;

 private:
  struct NameFence {
    uint64_t name;
    Revision revision;
    MonotonicTime quarantined_until;
    MonotonicTime kept_until;
  };

  void DropOldest();

  Revision floor_;
  MonotonicTime all_quarantined_until_;
  absl::flat_hash_map<RealmId, Revision> realms_;
  std::list<NameFence> names_;  // in the order in which they were last raised
  absl::flat_hash_map<uint64_t, std::list<NameFence>::iterator> by_name_;
};

}  // namespace credcache
