#include "base/ip_address.h"

#include <gtest/gtest.h>

#include <string>

namespace credcache {
namespace {

IpAddress Address(absl::string_view text) { return IpAddress::Parse(text).value(); }

TEST(IpAddressTest, WhatIsOne) {
  for (const char* text : {"192.0.2.1", "::1", "2001:db8::1", "fe80::1%eth0", "::ffff:192.0.2.1", "0.0.0.0"}) {
    EXPECT_TRUE(IpAddress::Parse(text).has_value()) << text;
  }
}

TEST(IpAddressTest, WhatIsNone) {
  for (const std::string& text : {std::string(), std::string("localhost"), std::string("192.0.2"),
                                  std::string("192.0.2.256"), std::string("192.0.2.1:25"), std::string("[::1]"),
                                  std::string("192.0.2.1%eth0"), std::string("fe80::1%"), std::string("fe80::1%a b"),
                                  std::string("::1\0", 4), std::string(100, '1'), "fe80::1%" + std::string(17, 'e')}) {
    EXPECT_FALSE(IpAddress::Parse(text).has_value()) << text;
  }
}

TEST(IpAddressTest, AnIpv4AddressMappedIntoIpv6IsTheSame) {
  EXPECT_EQ(Address("::ffff:192.0.2.1"), Address("192.0.2.1"));
  EXPECT_TRUE(Address("::ffff:192.0.2.1").IsIpv4());
  EXPECT_FALSE(Address("2001:db8::1").IsIpv4());
}

TEST(IpAddressTest, ASiteIsAnIpv4AddressOrAnIpv6SlashSixtyFour) {
  EXPECT_EQ(Address("2001:db8:1:2::1").Site(), Address("2001:db8:1:2:ffff::9").Site());
  EXPECT_FALSE(Address("2001:db8:1:2::1").Site() == Address("2001:db8:1:3::1").Site());
  EXPECT_FALSE(Address("192.0.2.1").Site() == Address("192.0.2.2").Site());
}

TEST(IpNetworkTest, ContainsWhatSharesItsPrefix) {
  const IpNetwork v4 = IpNetwork::Parse("192.0.2.0/25").value();
  EXPECT_TRUE(v4.Contains(Address("192.0.2.127")));
  EXPECT_FALSE(v4.Contains(Address("192.0.2.128")));
  EXPECT_TRUE(v4.Contains(Address("::ffff:192.0.2.1")));
  const IpNetwork v6 = IpNetwork::Parse("2001:db8::/33").value();
  EXPECT_TRUE(v6.Contains(Address("2001:db8:7fff::1")));
  EXPECT_FALSE(v6.Contains(Address("2001:db8:8000::1")));
  EXPECT_TRUE(IpNetwork::Parse("0.0.0.0/0")->Contains(Address("203.0.113.9")));
  EXPECT_FALSE(IpNetwork::Parse("0.0.0.0/0")->Contains(Address("2001:db8::1")));
  EXPECT_TRUE(IpNetwork::Parse("192.0.2.7")->Contains(Address("192.0.2.7")));
  EXPECT_FALSE(IpNetwork::Parse("192.0.2.7")->Contains(Address("192.0.2.6")));
}

TEST(IpNetworkTest, WhatIsNone) {
  for (const char* text : {"", "192.0.2.0/33", "192.0.2.1/24", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/+8",
                           "2001:db8::/129", "fe80::%eth0/64", "192.0.2.0/24/8", "/8", "192.0.2.0/024x"}) {
    EXPECT_FALSE(IpNetwork::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace credcache
