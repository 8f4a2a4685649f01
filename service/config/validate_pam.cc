#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "config/validate.h"

namespace credcache {
namespace {

constexpr int kMostWorkers = 256;
constexpr absl::Duration kShortestTimeout = absl::Milliseconds(100);
// A flight that takes longer is given up, whatever the stack does.
constexpr absl::Duration kLongestTimeout = kMaxFlightDuration;

// Where Linux-PAM looks for service files: pam.conf(5).
constexpr const char* kSystemFolders[] = {"/etc/pam.d", "/usr/lib/pam.d"};

bool IsThere(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// libpam takes a service without a file for the service `other`, which would let in whoever that lets in.
bool HasServiceFile(const PamConfig& pam) {
  if (!pam.config_folder.empty()) return IsThere(std::filesystem::path(pam.config_folder) / pam.service);
  bool has_folder = false;
  for (const std::filesystem::path folder : kSystemFolders) {
    if (IsThere(folder / pam.service)) return true;
    has_folder = has_folder || IsThere(folder);
  }
  return !has_folder;  // all is in /etc/pam.conf then
}

bool IsServiceName(absl::string_view name) {
  // libpam makes it lower case, and takes what is behind a slash.
  return !name.empty() && name.front() != '.' && name.find_first_of("/ ") == absl::string_view::npos &&
         absl::AsciiStrToLower(name) == name;
}

}  // namespace

PamConfig ValidatePam(const config::v1::Pam& written, const std::string& path, Checks& checks) {
  PamConfig pam;
  ConfigSource& source = checks.source();
  const std::string service = Child(path, "service");
  const std::string config_folder = Child(path, "config_folder");
  if (written.has_config_folder()) pam.config_folder = checks.Path(config_folder, written.config_folder());
  if (!IsServiceName(written.service())) {
    source.Fail(service, "the name of a PAM service, in lower case, like credcache");
  } else {
    pam.service = checks.Text(service, written.service());
    if (!source.IsBad(config_folder) && !HasServiceFile(pam)) {
      source.Fail(service, absl::StrCat("a file of that name in ",
                                        pam.config_folder.empty() ? kSystemFolders[0] : Escaped(pam.config_folder)));
    }
  }
  if (written.has_system_users()) pam.system_users = written.system_users();
  if (written.has_workers()) {
    pam.workers = static_cast<int>(checks.Number(Child(path, "workers"), written.workers(), 1, kMostWorkers));
  }
  if (written.has_timeout()) {
    pam.timeout = checks.Length(Child(path, "timeout"), written.timeout(), kShortestTimeout, kLongestTimeout);
  }
  return pam;
}

}  // namespace credcache
