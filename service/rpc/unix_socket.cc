#include "rpc/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

absl::Status SystemError(absl::string_view path, absl::string_view what) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat(path, ": ", what));
}

// Whether somebody accepts connections there.
bool SomebodyListens(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return true;
  sockaddr_un address = {.sun_family = AF_UNIX};
  std::memcpy(address.sun_path, path.data(), path.size());
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  close(fd);
  // EAGAIN: its backlog is full. EACCES: not ours to judge.
  return result == 0 || (error != ECONNREFUSED && error != ENOENT);
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnixSocketFile>> UnixSocketFile::Prepare(const UnixSocketConfig& config) {
  const std::string& path = config.path;
  const std::string folder_template = path.substr(0, path.rfind('/') + 1) + ".XXXXXX";
  constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > kMaxPath || folder_template.size() + 2 > kMaxPath) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is too long for a unix socket"));
  }
  struct stat status;
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return absl::FailedPreconditionError(absl::StrCat(path, ": exists and is no socket"));
    }
    if (SomebodyListens(path)) {
      return absl::FailedPreconditionError(absl::StrCat(path, ": another process listens there"));
    }
  } else if (errno != ENOENT) {
    return SystemError(path, "cannot be examined");
  }
  std::unique_ptr<UnixSocketFile> file(new UnixSocketFile(config));
  std::string folder = folder_template;
  if (mkdtemp(folder.data()) == nullptr) return SystemError(path, "cannot make a socket in this folder");
  file->folder_ = folder;
  file->private_path_ = folder + "/s";
  return file;
}

absl::Status UnixSocketFile::Publish() {
  // Group before mode: a change of owner may clear bits of the mode.
  if (config_.gid.has_value() && chown(private_path_.c_str(), static_cast<uid_t>(-1), *config_.gid) != 0) {
    return SystemError(config_.path, "cannot be given its group");
  }
  if (chmod(private_path_.c_str(), config_.mode) != 0) return SystemError(config_.path, "cannot be given its mode");
  struct stat status;
  if (stat(private_path_.c_str(), &status) != 0) return SystemError(config_.path, "cannot be examined");
  if (rename(private_path_.c_str(), config_.path.c_str()) != 0) return SystemError(config_.path, "cannot be made");
  inode_ = status.st_ino;
  rmdir(folder_.c_str());
  folder_.clear();
  return absl::OkStatus();
}

UnixSocketFile::~UnixSocketFile() {
  if (!folder_.empty()) {
    unlink(private_path_.c_str());
    rmdir(folder_.c_str());
  }
  struct stat status;
  if (inode_ != 0 && lstat(config_.path.c_str(), &status) == 0 && status.st_ino == inode_) unlink(config_.path.c_str());
}

}  // namespace credcache
