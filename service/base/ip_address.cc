#include "base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace credcache {
namespace {

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kMappedBits = 96;
// Names of interfaces (IF_NAMESIZE) and numbers are shorter.
constexpr size_t kMaxZoneSize = 16;

bool IsZone(absl::string_view zone) {
  return !zone.empty() && zone.size() <= kMaxZoneSize && std::all_of(zone.begin(), zone.end(), absl::ascii_isgraph);
}

// Clears what comes after the first `bits`.
void Truncate(std::array<uint8_t, 16>& bytes, int bits) {
  for (int at = bits; at < 128; ++at) bytes[static_cast<size_t>(at / 8)] &= static_cast<uint8_t>(~(0x80U >> (at % 8)));
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(absl::string_view text) {
  const size_t percent = text.find('%');
  if (percent != absl::string_view::npos && !IsZone(text.substr(percent + 1))) return std::nullopt;
  const absl::string_view without_zone = text.substr(0, percent);
  std::array<char, INET6_ADDRSTRLEN> terminated = {};
  if (without_zone.empty() || without_zone.size() >= terminated.size()) return std::nullopt;
  if (without_zone.find('\0') != absl::string_view::npos) return std::nullopt;
  std::memcpy(terminated.data(), without_zone.data(), without_zone.size());

  IpAddress address;
  if (without_zone.find(':') != absl::string_view::npos) {
    if (inet_pton(AF_INET6, terminated.data(), address.bytes_.data()) != 1) return std::nullopt;
    return address;
  }
  if (percent != absl::string_view::npos) return std::nullopt;
  if (inet_pton(AF_INET, terminated.data(), address.bytes_.data() + kMapped.size()) != 1) return std::nullopt;
  std::copy(kMapped.begin(), kMapped.end(), address.bytes_.begin());
  return address;
}

bool IpAddress::IsIpv4() const { return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin()); }

IpAddress IpAddress::Site() const {
  IpAddress site = *this;
  if (!IsIpv4()) Truncate(site.bytes_, 64);
  return site;
}

std::optional<IpNetwork> IpNetwork::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
  if (!address.has_value() || text.find('%') != absl::string_view::npos) return std::nullopt;
  IpNetwork network;
  network.address_ = *address;
  if (slash == absl::string_view::npos) return network;
  const absl::string_view bits = text.substr(slash + 1);
  const bool written_as_ipv4 = text.find(':') == absl::string_view::npos;
  int prefix = 0;
  if (bits.empty() || !std::all_of(bits.begin(), bits.end(), absl::ascii_isdigit) || !absl::SimpleAtoi(bits, &prefix) ||
      prefix > (written_as_ipv4 ? 32 : 128)) {
    return std::nullopt;
  }
  network.prefix_bits_ = written_as_ipv4 ? kMappedBits + prefix : prefix;
  IpAddress first = *address;
  Truncate(first.bytes_, network.prefix_bits_);
  if (!(first == *address)) return std::nullopt;
  return network;
}

bool IpNetwork::Contains(const IpAddress& address) const {
  IpAddress first = address;
  Truncate(first.bytes_, prefix_bits_);
  return first == address_;
}

}  // namespace credcache
