#include "backends/users_file_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace credcache {
namespace {

constexpr absl::Duration kCheckInterval = absl::Seconds(1);
// Kernels stamp files with a clock of a few milliseconds, some file systems with one of two seconds (FAT).
constexpr absl::Duration kStampResolution = absl::Seconds(2);
// More changed users than these are not named one by one.
constexpr size_t kMostNamed = 10'000;

int64_t Nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

absl::Status SystemError(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

}  // namespace

UsersFileReader::Stamp UsersFileReader::Stamp::Of(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = status.st_size,
          .modified_nanoseconds = Nanoseconds(status.st_mtim),
          .changed_nanoseconds = Nanoseconds(status.st_ctim)};
}

UsersFileReader::UsersFileReader(std::string path, CaseRule case_rule, Clock& clock, Reporter& reporter,
                                 std::shared_ptr<ChangeListener> changes)
    : path_(std::move(path)), case_rule_(case_rule), clock_(clock), reporter_(reporter), changes_(std::move(changes)) {
  absl::MutexLock lock(&mutex_);
  next_check_ = clock_.Monotonic() + kCheckInterval;
  Read();
}

absl::StatusOr<std::shared_ptr<const UsersFile>> UsersFileReader::Current() {
  absl::StatusOr<std::shared_ptr<const UsersFile>> current;
  std::vector<std::string> changed;
  std::string error;
  {
    absl::MutexLock lock(&mutex_);
    const MonotonicTime now = clock_.Monotonic();
    if (now >= next_check_) {
      next_check_ = now + kCheckInterval;
      Check();
    }
    if (error_.empty()) {
      current = current_;
    } else {
      current = absl::UnavailableError(error_);
    }
    changed.swap(changed_);
    error = error_;
  }
  Tell(changed, error);
  return current;
}

void UsersFileReader::Look() {
  std::vector<std::string> changed;
  std::string error;
  {
    absl::MutexLock lock(&mutex_);
    Check();
    changed.swap(changed_);
    error = error_;
  }
  Tell(changed, error);
}

void UsersFileReader::Tell(const std::vector<std::string>& changed, const std::string& error) {
  if (changes_ == nullptr) return;
  if (changed.size() > kMostNamed) {
    changes_->EverythingChanged();
  } else if (!changed.empty()) {
    changes_->AccountsChanged(changed);
  }
  if (error.empty()) {
    changes_->FeedUp();
  } else {
    changes_->FeedDown(error);
  }
}

void UsersFileReader::Check() {
  struct stat status;
  if (error_.empty() && !stamp_may_hide_a_change_ && stat(path_.c_str(), &status) == 0 && Stamp::Of(status) == stamp_) {
    return;
  }
  Read();
}

void UsersFileReader::Read() {
  const auto text = ReadText();
  if (!text.ok()) return Fail(std::string(text.status().message()));
  const size_t text_hash = absl::HashOf(absl::string_view(*text));
  // The same text again says nothing new, and its bad lines are not told twice.
  if (current_ != nullptr && text_hash == text_hash_) return Succeed();
  auto file = ParseUsersFile(*text, case_rule_);
  if (!file.ok()) return Fail(std::string(file.status().message()));
  Succeed();
  for (const UsersFileError& bad : file->errors) {
    reporter_.Report(Severity::kWarning, "users_file_line", absl::StrCat(path_, ":", bad.line, ": ", bad.text));
  }
  if (file->bad_lines > file->errors.size()) {
    reporter_.Report(Severity::kWarning, "users_file_line",
                     absl::StrCat(path_, ": ", file->bad_lines - file->errors.size(), " more bad lines"));
  }
  text_hash_ = text_hash;
  std::shared_ptr<const UsersFile> before =
      std::exchange(current_, std::make_shared<const UsersFile>(*std::move(file)));
  if (changes_ == nullptr || before == nullptr) return;
  for (std::string& name : ChangedUsers(*before, *current_)) changed_.push_back(std::move(name));
}

void UsersFileReader::Succeed() {
  if (error_.empty()) return;
  error_.clear();
  reporter_.Report(Severity::kInfo, "users_file_readable", absl::StrCat(path_, ": can be read again"));
}

void UsersFileReader::Fail(const std::string& why) {
  std::string error = absl::StrCat(path_, ": ", why);
  if (error == error_) return;
  error_ = std::move(error);
  reporter_.Report(Severity::kError, "users_file_unreadable", error_);
}

absl::StatusOr<std::string> UsersFileReader::ReadText() {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return SystemError("cannot be opened");
  const absl::Cleanup closer = [fd] { close(fd); };
  struct stat status;
  if (fstat(fd, &status) != 0) return SystemError("cannot be looked at");
  if (!S_ISREG(status.st_mode)) return absl::UnavailableError("is no regular file");
  // The stamp of before the reading: whatever is written during it changes the stamp.
  stamp_ = Stamp::Of(status);
  const absl::Time changed = absl::FromUnixNanos(stamp_.changed_nanoseconds);
  stamp_may_hide_a_change_ = clock_.Now() - changed < kStampResolution;

  std::string text;
  size_t size = 0;
  while (size <= kMaxUsersFileSize) {
    text.resize(size + (size_t{64} << 10) +
                static_cast<size_t>(size == 0 ? std::min<off_t>(status.st_size, kMaxUsersFileSize) : 0));
    const ssize_t got = read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("cannot be read");
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  text.resize(size);
  return text;  // one that is too large is refused by the parser
}

}  // namespace credcache
