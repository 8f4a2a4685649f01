#include "config/config.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace credcache {

std::string ListenAddress::ToString() const {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

bool ListenAddress::IsLoopback() const {
  if (absl::EqualsIgnoreCase(host, "localhost")) return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

absl::string_view Name(Permission permission) {
  static constexpr std::array<absl::string_view, kPermissions> kNames = {"authenticate", "negotiate",      "delegate",
                                                                         "invalidate",   "invalidate_all", "stats"};
  return kNames[static_cast<size_t>(permission)];
}

absl::string_view Name(LogLevel level) {
  static constexpr std::array<absl::string_view, kLogLevels> kNames = {"debug", "info", "warning", "error"};
  return kNames[static_cast<size_t>(level)];
}

const RealmConfig& Config::DefaultRealm() const {
  return *std::find_if(realms.begin(), realms.end(), [](const RealmConfig& realm) { return realm.is_default; });
}

}  // namespace credcache
