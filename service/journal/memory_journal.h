// The journal of a replica that is alone: revisions count up in memory, and start anew with the process.
#pragma once

#include <atomic>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "journal/journal.h"

namespace credcache {

// Thread-safe. Append applies and calls `done` before it returns.
class MemoryJournal final : public Journal {
 public:
  MemoryJournal(std::string replica, Apply apply);

  void Append(Invalidation invalidation, AppendDone done) override;
  Revision Applied() const override;

 private:
  const std::string replica_;
  absl::Mutex mutex_;
  Apply apply_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> applied_{0};
};

}  // namespace credcache
