#include "journal/memory_journal.h"

#include <utility>

namespace credcache {

MemoryJournal::MemoryJournal(std::string replica, Apply apply)
    : replica_(std::move(replica)), apply_(std::move(apply)) {}

void MemoryJournal::Append(Invalidation invalidation, AppendDone done) {
  Appended appended{.acknowledgements = {{.replica = replica_}}};
  {
    absl::MutexLock lock(&mutex_);
    const uint64_t revision = applied_.load(std::memory_order_relaxed) + 1;
    appended.revision = Revision(revision);
    appended.entries_removed = apply_(appended.revision, invalidation);
    // Only now: a flight that reads this revision has begun after everything it covers was forgotten.
    applied_.store(revision, std::memory_order_release);
  }
  done(std::move(appended));
}

Revision MemoryJournal::Applied() const { return Revision(applied_.load(std::memory_order_acquire)); }

}  // namespace credcache
