// IP addresses of the machines that people log on from, and networks of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/string_view.h"

namespace credcache {

// An address without a port. An IPv4 address and the same one mapped into IPv6 (RFC 4291, section 2.5.5.2) are equal.
class IpAddress {
 public:
  // "192.0.2.1", "2001:db8::1", "fe80::1%eth0" (the zone does not count). Nothing: it is no address.
  static std::optional<IpAddress> Parse(absl::string_view text);

  bool IsIpv4() const;
  // What one customer has: an IPv4 address, or an IPv6 /64 (RFC 6177 gives no site less), in which it may take any
  // address it likes.
  IpAddress Site() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const IpAddress& address) {
    return H::combine(std::move(h), address.bytes_);
  }

 private:
  friend class IpNetwork;
  std::array<uint8_t, 16> bytes_ = {};  // an IPv4 address mapped
};

// A network, as "192.0.2.0/24" or "2001:db8::/32" (RFC 4632); an address alone is a network of one.
class IpNetwork {
 public:
  // Nothing: it is no network; one with bits set after its prefix neither.
  static std::optional<IpNetwork> Parse(absl::string_view text);

  bool Contains(const IpAddress& address) const;

  friend bool operator==(const IpNetwork&, const IpNetwork&) = default;

 private:
  IpAddress address_;
  int prefix_bits_ = 128;  // of the mapped address
};

}  // namespace credcache
