#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "config/validate.h"

namespace credcache {
namespace {

constexpr absl::Duration kLongestAge = absl::Hours(8760);
constexpr int kMostCallers = 1024;

Permission FromProto(config::v1::Permission permission) {
  return static_cast<Permission>(static_cast<int>(permission) - 1);
}
static_assert(static_cast<int>(Permission::kAuthenticate) == config::v1::PERMISSION_AUTHENTICATE - 1);
static_assert(static_cast<int>(Permission::kStats) == config::v1::PERMISSION_STATS - 1);

PermissionSet ValidateAllow(const config::v1::Caller& written, const std::string& path, Checks& checks) {
  if (written.allow().empty()) {
    checks.source().Fail(path, "at least one of authenticate, negotiate, delegate, invalidate, invalidate_all, stats");
  }
  PermissionSet allow;
  for (int i = 0; i < written.allow_size(); ++i) {
    if (written.allow(i) == config::v1::PERMISSION_UNSPECIFIED) continue;  // reported when it was read
    const Permission permission = FromProto(written.allow(i));
    if (allow.Contains(permission)) checks.source().Fail(Item(path, i), "each permission once");
    allow.Add(permission);
  }
  return allow;
}

// How the service knows the caller; what the caller needs for it elsewhere in the file.
void ValidateIdentity(const config::v1::Config& file, const config::v1::Caller& written, const std::string& path,
                      CallerConfig& caller, Checks& checks) {
  ConfigSource& source = checks.source();
  const auto& sockets = file.listen().unix();
  if (written.has_certificate()) {
    caller.certificate = checks.Word(Child(path, "certificate"), written.certificate());
    if (!file.tls().has_client_ca() && !source.IsBad("tls.client_ca")) {
      source.Fail(Child(path, "certificate"), "tls.client_ca in this file, which says whose certificates count");
    }
  }
  if (written.has_token_file()) {
    caller.token_file = checks.File(Child(path, "token_file"), written.token_file(), Checks::Secrecy::kSecret);
    if (written.has_certificate()) source.Fail(Child(path, "token_file"), "either a certificate or a token_file");
    if (!file.has_tls() && sockets.empty() && !source.IsBad("tls") && !source.IsBad("listen.unix")) {
      source.Fail(Child(path, "token_file"), "tls or a unix socket in this file, as no token may come in the clear");
    }
  }
  const bool by_socket = std::any_of(sockets.begin(), sockets.end(), [&](const config::v1::UnixSocket& socket) {
    return written.has_name() && socket.caller() == written.name();
  });
  if (!written.has_certificate() && !written.has_token_file() && !by_socket && !source.IsBad("listen.unix") &&
      !source.IsBad(Child(path, "token_file"))) {
    source.Fail(Child(path, "certificate"), "a certificate, a token_file, or a unix socket with this caller");
  }
}

CallerConfig ValidateCaller(const config::v1::Config& file, const config::v1::Caller& written, const std::string& path,
                            Checks& checks) {
  CallerConfig caller;
  if (written.has_name()) {
    caller.name = checks.Word(Child(path, "name"), written.name());
  } else {
    checks.source().Fail(Child(path, "name"), "the caller's name");
  }
  ValidateIdentity(file, written, path, caller, checks);
  caller.allow = ValidateAllow(written, Child(path, "allow"), checks);
  if (checks.source().Has(Child(path, "realms"))) caller.realms = checks.Words(Child(path, "realms"), written.realms());
  caller.audiences = checks.Words(Child(path, "audiences"), written.audiences());
  if (caller.audiences.empty()) caller.audiences = {caller.name};
  if (written.has_max_age()) {
    caller.max_age = checks.Length(Child(path, "max_age"), written.max_age(), absl::ZeroDuration(), kLongestAge);
  }
  return caller;
}

}  // namespace

std::vector<CallerConfig> ValidateCallers(const config::v1::Config& written, Checks& checks) {
  checks.NotEmpty("callers");
  if (!checks.Count("callers", written.callers_size(), kMostCallers)) return {};
  std::vector<CallerConfig> callers;
  for (int i = 0; i < written.callers_size(); ++i) {
    const std::string path = Item("callers", i);
    CallerConfig caller = ValidateCaller(written, written.callers(i), path, checks);
    for (size_t other = 0; other < callers.size(); ++other) {
      const auto once = [&](absl::string_view key, const std::string& value, const std::string& others) {
        if (value.empty() || value != others) return;
        checks.source().Fail(
            Child(path, key),
            absl::StrCat("another ", key, " than callers[", other, "] (line ",
                         checks.source().Line(Child(Item("callers", static_cast<int>(other)), key)), ")"));
      };
      once("name", caller.name, callers[other].name);
      once("certificate", caller.certificate, callers[other].certificate);
      once("token_file", caller.token_file, callers[other].token_file);
    }
    callers.push_back(std::move(caller));
  }
  return callers;
}

}  // namespace credcache
