// Tells when a file may have changed: by inotify(7), and by looking each second, where the kernel hears of nothing
// (network file systems, a folder that is not there yet).
#pragma once

#include <atomic>
#include <set>
#include <string>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace credcache {

// Meant for files that are replaced by renaming another over them, also where the path leads over symbolic links that
// are replaced instead, as Kubernetes does with mounted secrets. A file written in place is told of when the writer
// closes it.
//
// Starts a thread, which calls `look` and nothing else; ends it in the destructor.
class FileWatch {
 public:
  // `look` is called once soon, since the file may have changed before the watch began, then after each event, and at
  // least once in an `interval`. It should find out cheaply whether there is anything new.
  FileWatch(std::string path, absl::AnyInvocable<void()> look, absl::Duration interval = absl::Seconds(1));
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

 private:
  void Run();
  // Watches the folders in which the file, or a link on the way to it, can be replaced now.
  void WatchFolders();
  // Whether there were any. Which file they are about is not asked: a look costs less than the answer.
  bool TakeEvents();

  const std::string path_;
  absl::AnyInvocable<void()> look_;
  const int interval_milliseconds_;
  // Below 0, either: the kernel has none left. Then the end waits for the next look; nothing is told but by looking.
  const int wake_;  // an eventfd
  const int inotify_;
  std::atomic<bool> stopping_ = false;
  std::set<int> watches_;  // of folders
  std::thread thread_;
};

}  // namespace credcache
