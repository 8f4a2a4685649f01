#include "config/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace credcache {
namespace {

bool IsIpv6(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// What is only digits and dots is meant as an IPv4 address.
bool IsHostOrIpv4(const std::string& host) {
  if (host.empty() || host.size() > 253 || host.front() == '-' || host.front() == '.') return false;
  if (host.find_first_not_of("0123456789.") == std::string::npos) {
    in_addr address;
    return inet_pton(AF_INET, host.c_str(), &address) == 1;
  }
  return std::all_of(host.begin(), host.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_'; });
}

}  // namespace

std::optional<ListenAddress> ParseAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  absl::string_view host = text.substr(0, colon);
  const absl::string_view port = text.substr(colon + 1);
  uint32_t number = 0;
  if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(port, &number) || number > std::numeric_limits<uint16_t>::max()) {
    return std::nullopt;
  }
  if (absl::ConsumePrefix(&host, "[")) {
    if (!absl::ConsumeSuffix(&host, "]") || !IsIpv6(std::string(host))) return std::nullopt;
  } else if (!IsHostOrIpv4(std::string(host))) {
    return std::nullopt;
  }
  return ListenAddress{.host = std::string(host), .port = static_cast<uint16_t>(number)};
}

}  // namespace credcache
