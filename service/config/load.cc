#include "config/load.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "config/source.h"
#include "config/validate.h"
#include "config/yaml_to_proto.h"
#include "credcache/config/v1/config.pb.h"

namespace credcache {
namespace {

absl::Status Unreadable(absl::string_view path, int error) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ":1: file: got ", std::strerror(error), ", expected a file that can be read"));
}

// At most one byte more than a configuration may have.
absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Unreadable(path, errno);
  std::string text;
  std::array<char, 16'384> buffer;
  ssize_t size = 0;
  while (text.size() <= kMaxConfigFileSize) {
    size = read(file, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    text.append(buffer.data(), static_cast<size_t>(size));
  }
  const int error = errno;
  close(file);
  if (size < 0) return Unreadable(path, error);
  return text;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Config>> LoadConfig(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return Unreadable(path, error.value());
  return ParseConfig(*text, path, absolute.parent_path().string());
}

absl::StatusOr<std::shared_ptr<const Config>> ParseConfig(absl::string_view text, absl::string_view file,
                                                          absl::string_view folder) {
  ConfigSource source(file);
  config::v1::Config written;
  ReadYaml(text, written, source);
  // What could not be read has no sections to miss.
  if (source.unreadable()) return source.status();
  source.StartChecks();
  Checks checks(source, folder);
  Config config = Validate(written, checks);
  if (!source.ok()) return source.status();
  return std::make_shared<const Config>(std::move(config));
}

}  // namespace credcache
