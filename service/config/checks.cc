#include "config/checks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "config/duration.h"

namespace credcache {
namespace {

constexpr size_t kMaxTextSize = 256;
constexpr size_t kMaxLongTextSize = 4096;
// Of names in a list.
constexpr int kMostWords = 1024;

}  // namespace

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

int64_t Checks::Number(const std::string& path, int64_t value, int64_t least, int64_t most) {
  if (value < least || value > most) source_.Fail(path, absl::StrCat("a number from ", least, " to ", most));
  return std::clamp(value, least, most);
}

absl::Duration Checks::Length(const std::string& path, const google::protobuf::Duration& value, absl::Duration least,
                              absl::Duration most) {
  const absl::Duration duration = FromProto(value);
  if (duration < least || duration > most) {
    source_.Fail(path, absl::StrCat("a duration from ", DurationText(least), " to ", DurationText(most)));
  }
  return std::clamp(duration, least, most);
}

std::string Checks::Text(const std::string& path, const std::string& value) {
  if (value.empty() || value.size() > kMaxTextSize) source_.Fail(path, "text of 1 to 256 bytes");
  return value;
}

std::string Checks::LongText(const std::string& path, const std::string& value) {
  if (value.size() > kMaxLongTextSize) source_.Fail(path, "text of at most 4096 bytes");
  return value;
}

std::string Checks::Word(const std::string& path, const std::string& value) {
  if (value.empty() || value.size() > kMaxTextSize || absl::StrContains(value, ' ')) {
    source_.Fail(path, "text of 1 to 256 bytes without spaces");
  }
  return value;
}

std::vector<std::string> Checks::Words(const std::string& path,
                                       const google::protobuf::RepeatedPtrField<std::string>& values) {
  NotEmpty(path);
  std::vector<std::string> words;
  if (!Count(path, values.size(), kMostWords)) return words;
  for (int i = 0; i < values.size(); ++i) {
    words.push_back(Word(Item(path, i), values[i]));
    if (!values[i].empty() && std::find(words.begin(), words.end() - 1, values[i]) != words.end() - 1) {
      source_.Fail(Item(path, i), "each entry once");
    }
  }
  return words;
}

void Checks::NotEmpty(const std::string& list) {
  if (source_.IsEmptyList(list)) source_.Fail(list, "at least one entry, or no such key");
}

bool Checks::Count(const std::string& list, int count, int most) {
  if (count <= most) return true;
  source_.FailAs(list, absl::StrCat(count, " entries"), absl::StrCat("at most ", most));
  return false;
}

std::string Checks::Path(const std::string& path, const std::string& value) {
  if (value.empty()) source_.Fail(path, "the path of a file");
  return (std::filesystem::path(folder_) / value).lexically_normal().string();
}

std::string Checks::File(const std::string& path, const std::string& value, Secrecy secrecy) {
  std::string file = Path(path, value);
  if (value.empty()) return file;
  const auto fail = [&](absl::string_view expected, absl::string_view why) {
    source_.Fail(path, absl::StrCat(expected, " (", Escaped(file), ": ", why, ")"));
  };
  struct stat status;
  if (stat(file.c_str(), &status) != 0) {  // NOLINT(bugprone-branch-clone): each look needs the one before it
    fail("a file that can be read", std::strerror(errno));
  } else if (!S_ISREG(status.st_mode)) {
    fail("a file that can be read", "not a regular file");
  } else if (faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) != 0) {
    fail("a file that can be read", std::strerror(errno));
  } else if (secrecy == Secrecy::kSecret && status.st_size == 0) {
    fail("a file with a secret in it", "it is empty");
  } else if (secrecy == Secrecy::kSecret && (status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    fail("a file that others can neither read nor write", "try chmod o-rw");
  }
  return file;
}

}  // namespace credcache
