// The file of a listening unix socket: nobody reaches the socket before its mode and group are what was asked for, a
// socket that somebody serves is never taken away, and the file goes when its server does.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/config.h"

namespace credcache {

// Not thread-safe.
class UnixSocketFile {
 public:
  // Makes a private folder beside config.path, for the socket to be bound in. FAILED_PRECONDITION: somebody listens at
  // the path, or there is something else than a socket. INVALID_ARGUMENT: the path is too long. Others: as the system
  // says. Texts name the path.
  static absl::StatusOr<std::unique_ptr<UnixSocketFile>> Prepare(const UnixSocketConfig& config);
  // Removes what it made, unless somebody has put another file in its place.
  ~UnixSocketFile();
  UnixSocketFile(const UnixSocketFile&) = delete;
  UnixSocketFile& operator=(const UnixSocketFile&) = delete;

  // Where the socket is to be bound: only this process's user gets there.
  const std::string& private_path() const { return private_path_; }
  // Once bound: sets mode and group, and moves the socket to config.path, over a stale one if need be.
  absl::Status Publish();

 private:
  explicit UnixSocketFile(const UnixSocketConfig& config) : config_(config) {}

  const UnixSocketConfig config_;
  std::string folder_;
  std::string private_path_;
  ino_t inode_ = 0;  // once published
};

}  // namespace credcache
