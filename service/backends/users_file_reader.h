// The present contents of a users file, read again when the file changed.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "backends/users_file.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/reporter.h"

namespace credcache {

// Thread-safe. Reads files, so it belongs on threads that may block.
//
// Replace the file by renaming another over it: then every look-up sees the whole of the old file or the whole of the
// new one. A file written in place may be read half written; it is read again as soon as it has changed further.
class UsersFileReader {
 public:
  // Reads the file at once, and reports what is wrong with it. `changes` (may be null) is told of every later change
  // that makes a difference to a user, and of whether the file can be read, by whoever finds it, once all are answered
  // from the new contents. What changes while the file cannot be read is told when it can be again.
  UsersFileReader(std::string path, CaseRule case_rule, Clock& clock, Reporter& reporter,
                  std::shared_ptr<ChangeListener> changes);

  // What the file holds now: it is looked at once a second at most. UNAVAILABLE while it cannot be read: who was taken
  // out of it lately is not known then, and an error is never a verdict.
  absl::StatusOr<std::shared_ptr<const UsersFile>> Current();

  // Looks at the file now, however short ago it was looked at.
  void Look();

 private:
  // What tells one version of a file from another without reading it.
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    int64_t modified_nanoseconds = 0;
    int64_t changed_nanoseconds = 0;
    static Stamp Of(const struct stat& status);
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  void Check() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Succeed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Fail(const std::string& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // To the listener, in the order of what happened.
  void Tell(const std::vector<std::string>& changed, const std::string& error);
  absl::StatusOr<std::string> ReadText() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  const CaseRule case_rule_;
  Clock& clock_;
  Reporter& reporter_;
  const std::shared_ptr<ChangeListener> changes_;

  // Held while the file is read: who asks then waits for the new contents rather than use the old.
  absl::Mutex mutex_;
  MonotonicTime next_check_ ABSL_GUARDED_BY(mutex_);
  Stamp stamp_ ABSL_GUARDED_BY(mutex_);
  // The file was written so shortly before it was read that a later change may leave the same stamp.
  bool stamp_may_hide_a_change_ ABSL_GUARDED_BY(mutex_) = false;
  size_t text_hash_ ABSL_GUARDED_BY(mutex_) = 0;                      // of what current_ was made from
  std::shared_ptr<const UsersFile> current_ ABSL_GUARDED_BY(mutex_);  // the last that could be read; null: none yet
  std::string error_ ABSL_GUARDED_BY(mutex_);                         // why it cannot be read now; empty: it can
  std::vector<std::string> changed_ ABSL_GUARDED_BY(mutex_);          // who is to be told of
};

}  // namespace credcache
