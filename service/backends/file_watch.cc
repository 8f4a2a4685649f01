#include "backends/file_watch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

namespace credcache {
namespace {

// Not IN_MODIFY: a file that is being written is not whole.
constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |
                             IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// As many links as the kernel follows (path_resolution(7)).
constexpr int kMostLinks = 40;

// The folders of the file and of each link on the way to it, as far as they are there.
std::set<std::string> FoldersOf(const std::string& path) {
  namespace fs = std::filesystem;
  std::set<std::string> folders;
  std::error_code error;
  fs::path at = path;
  for (int links = 0; links < kMostLinks; ++links) {
    folders.insert(at.has_parent_path() ? at.parent_path().string() : ".");
    // The next link may be any part of the path: Kubernetes has file -> ..data/file, and ..data -> ..2026_11_24.
    fs::path before;
    fs::path link;
    fs::path rest;
    for (const fs::path& part : at) {
      if (!link.empty()) {
        rest /= part;
        continue;
      }
      const fs::path here = before / part;
      if (fs::is_symlink(here, error)) {
        link = here;
      } else {
        before = here;
      }
    }
    if (link.empty()) break;
    folders.insert(link.has_parent_path() ? link.parent_path().string() : ".");
    const fs::path target = fs::read_symlink(link, error);
    if (error) break;
    at = link.parent_path() / target;
    if (!rest.empty()) at /= rest;
    at = at.lexically_normal();
  }
  return folders;
}

}  // namespace

FileWatch::FileWatch(std::string path, absl::AnyInvocable<void()> look, absl::Duration interval)
    : path_(std::move(path)),
      look_(std::move(look)),
      interval_milliseconds_(static_cast<int>(absl::ToInt64Milliseconds(interval))),
      wake_(eventfd(0, EFD_CLOEXEC)),
      inotify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      thread_([this] { Run(); }) {}

FileWatch::~FileWatch() {
  stopping_ = true;
  const uint64_t one = 1;
  static_cast<void>(!write(wake_, &one, sizeof(one)));
  thread_.join();
  for (const int fd : {wake_, inotify_}) {
    if (fd >= 0) close(fd);
  }
}

void FileWatch::Run() {
  pthread_setname_np(pthread_self(), "file-watch");
  bool due = true;
  while (!stopping_) {
    if (due) {
      WatchFolders();  // first: what changes after the look is told
      look_();
    }
    std::array<pollfd, 2> waits = {pollfd{.fd = wake_, .events = POLLIN}, pollfd{.fd = inotify_, .events = POLLIN}};
    const int ready = poll(waits.data(), waits.size(), interval_milliseconds_);
    if (ready < 0 && errno != EINTR) return;
    due = ready == 0 || TakeEvents();
  }
}

void FileWatch::WatchFolders() {
  if (inotify_ < 0) return;
  std::set<int> watched;
  for (const std::string& folder : FoldersOf(path_)) {
    // Adding what is watched already changes nothing. One that is not there, or may not be read, is tried again.
    const int watch = inotify_add_watch(inotify_, folder.c_str(), kEvents);
    if (watch >= 0) watched.insert(watch);
  }
  for (const int watch : watches_) {
    if (!watched.contains(watch)) inotify_rm_watch(inotify_, watch);
  }
  watches_ = std::move(watched);
}

bool FileWatch::TakeEvents() {
  std::array<char, 16 << 10> buffer;
  bool any = false;
  while (true) {
    const ssize_t got = read(inotify_, buffer.data(), buffer.size());
    if (got > 0) {
      any = true;
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    return any;
  }
}

}  // namespace credcache
