#include <grp.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "config/address.h"
#include "config/validate.h"

namespace credcache {
namespace {

constexpr absl::Duration kLongestConnectionAge = absl::Hours(8760);
constexpr int kMostInFlight = 1'000'000;
constexpr int kMostSockets = 64;

ListenAddress Address(const std::string& path, const std::string& value, Checks& checks) {
  const std::optional<ListenAddress> address = ParseAddress(value);
  if (!address.has_value()) checks.source().Fail(path, "host:port, like 127.0.0.1:50051 or [::1]:0");
  return address.value_or(ListenAddress());
}

uint32_t Mode(const std::string& path, const std::string& value, Checks& checks) {
  uint32_t mode = 0;
  if (value.size() != 4 || value[0] != '0' || value.find_first_not_of("01234567") != std::string::npos) {
    checks.source().Fail(path, "four octal digits from 0000 to 0777");
    return mode;
  }
  for (const char digit : value) mode = mode * 8 + static_cast<uint32_t>(digit - '0');
  return mode;
}

std::optional<uint32_t> Gid(const std::string& path, const std::string& name, Checks& checks) {
  group entry;
  group* found = nullptr;
  // Groups with thousands of members need more; they are no groups for a socket.
  std::array<char, 65'536> buffer;
  if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return entry.gr_gid;
  }
  uint32_t number = 0;
  if (absl::SimpleAtoi(name, &number)) return number;
  checks.source().Fail(path, "a group of this machine, or a number");
  return std::nullopt;
}

void CheckSocketPath(const std::string& path, const std::string& file, Checks& checks) {
  if (file.size() >= sizeof(sockaddr_un::sun_path)) {
    return checks.source().Fail(
        path, absl::StrCat("a path of at most ", sizeof(sockaddr_un::sun_path) - 1, " bytes (", Escaped(file), ")"));
  }
  struct stat status;
  const std::string folder = std::filesystem::path(file).parent_path().string();
  if (stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return checks.source().Fail(path, absl::StrCat("a path in a folder that is there (", Escaped(folder), " is not)"));
  }
  if (stat(file.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    checks.source().Fail(path, absl::StrCat("the path of a socket, or of nothing yet (", Escaped(file), ")"));
  }
}

UnixSocketConfig ValidateUnixSocket(const config::v1::UnixSocket& written, const std::string& path, Checks& checks) {
  UnixSocketConfig socket;
  if (written.has_path()) {
    socket.path = checks.Path(Child(path, "path"), written.path());
    if (!written.path().empty()) CheckSocketPath(Child(path, "path"), socket.path, checks);
  } else {
    checks.source().Fail(Child(path, "path"), "the path of the socket");
  }
  if (written.has_mode()) socket.mode = Mode(Child(path, "mode"), written.mode(), checks);
  if (written.has_group()) socket.gid = Gid(Child(path, "group"), written.group(), checks);
  if (written.has_caller()) socket.caller = checks.Word(Child(path, "caller"), written.caller());
  return socket;
}

}  // namespace

ListenConfig ValidateListen(const config::v1::Listen& written, Checks& checks) {
  ConfigSource& source = checks.source();
  ListenConfig listen;
  if (written.has_grpc()) listen.grpc = Address("listen.grpc", written.grpc(), checks);
  if (written.has_admin()) listen.admin = Address("listen.admin", written.admin(), checks);
  if (listen.grpc == listen.admin && listen.grpc.port != 0) {
    source.Fail(written.has_admin() ? "listen.admin" : "listen.grpc", "two addresses for gRPC and admin");
  }
  checks.Count("listen.unix", written.unix_size(), kMostSockets);
  for (int i = 0; i < std::min(written.unix_size(), kMostSockets); ++i) {
    UnixSocketConfig socket = ValidateUnixSocket(written.unix(i), Item("listen.unix", i), checks);
    for (const UnixSocketConfig& other : listen.unix_sockets) {
      if (socket.path == other.path) source.Fail(Child(Item("listen.unix", i), "path"), "another path for each socket");
    }
    listen.unix_sockets.push_back(std::move(socket));
  }
  listen.insecure = written.insecure();
  if (written.has_max_connection_age()) {
    listen.max_connection_age = checks.Length("listen.max_connection_age", written.max_connection_age(),
                                              absl::Seconds(1), kLongestConnectionAge);
  }
  if (written.has_max_in_flight()) {
    listen.max_in_flight =
        static_cast<int>(checks.Number("listen.max_in_flight", written.max_in_flight(), 1, kMostInFlight));
  }
  return listen;
}

TlsConfig ValidateTls(const config::v1::Tls& written, Checks& checks) {
  TlsConfig tls;
  if (written.has_certificate()) {
    tls.certificate = checks.File("tls.certificate", written.certificate(), Checks::Secrecy::kPublic);
  } else {
    checks.source().Fail("tls.certificate", "a PEM file with the server's certificate");
  }
  if (written.has_private_key()) {
    tls.private_key = checks.File("tls.private_key", written.private_key(), Checks::Secrecy::kSecret);
  } else {
    checks.source().Fail("tls.private_key", "a PEM file with the certificate's key");
  }
  if (written.has_client_ca()) {
    tls.client_ca = checks.File("tls.client_ca", written.client_ca(), Checks::Secrecy::kPublic);
  }
  return tls;
}

}  // namespace credcache
