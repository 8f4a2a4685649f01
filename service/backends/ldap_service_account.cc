#include "backends/ldap_service_account.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/secret.h"

namespace credcache {
namespace {

constexpr size_t kMaxPasswordFileSize = 4096;

absl::StatusOr<Secret> ReadPasswordFile(const std::string& path) {
  const auto failure = [&path](absl::string_view what) {
    return absl::UnavailableError(absl::StrCat("bind_password_file ", path, " ", what));
  };
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failure(std::strerror(errno));
  std::array<char, kMaxPasswordFileSize> buffer;
  const absl::Cleanup wiper = [&] {
    WipeMemory(buffer.data(), buffer.size());
    close(fd);
  };
  const ssize_t size = read(fd, buffer.data(), buffer.size());
  if (size < 0) return failure(std::strerror(errno));
  if (static_cast<size_t>(size) == buffer.size()) return failure("is larger than a password");
  absl::string_view text(buffer.data(), static_cast<size_t>(size));
  if (absl::EndsWith(text, "\n")) text.remove_suffix(1);
  if (absl::EndsWith(text, "\r")) text.remove_suffix(1);
  if (text.empty()) return failure("is empty");
  return Secret(SecretView(text));
}

}  // namespace

absl::Status BindServiceAccount(LdapConnection& connection, const LdapBackendOptions& options, MonotonicTime deadline) {
  if (options.bind_dn.empty()) return absl::OkStatus();
  const auto password = ReadPasswordFile(options.bind_password_file);
  if (!password.ok()) return password.status();
  const auto answer = connection.Bind(options.bind_dn, password->view(), deadline);
  if (!answer.ok()) return absl::UnavailableError(answer.status().message());
  if (answer->code == LDAP_SUCCESS) return absl::OkStatus();
  const std::string text =
      absl::StrCat("the directory refuses the service's own account (bind_dn, ",
                   "bind_password_file): ", ldap_err2string(answer->code), " ", answer->diagnostic);
  return IsServerTrouble(answer->code) ? absl::UnavailableError(text) : absl::PermissionDeniedError(text);
}

}  // namespace credcache
