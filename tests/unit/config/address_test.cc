#include "config/address.h"

#include <gtest/gtest.h>

#include <string>

namespace credcache {
namespace {

std::string Parsed(absl::string_view text) {
  const auto address = ParseAddress(text);
  if (!address.has_value()) return "none";
  return address->ToString() + (address->IsLoopback() ? " loopback" : "");
}

TEST(AddressTest, ReadsHostsAndPorts) {
  EXPECT_EQ(Parsed("127.0.0.1:50051"), "127.0.0.1:50051 loopback");
  EXPECT_EQ(Parsed("127.255.0.9:1"), "127.255.0.9:1 loopback");
  EXPECT_EQ(Parsed("[::1]:0"), "[::1]:0 loopback");
  EXPECT_EQ(Parsed("[::ffff:127.0.0.1]:5"), "[::ffff:127.0.0.1]:5 loopback");
  EXPECT_EQ(Parsed("LocalHost:65535"), "LocalHost:65535 loopback");
  EXPECT_EQ(Parsed("0.0.0.0:5"), "0.0.0.0:5");
  EXPECT_EQ(Parsed("[::]:5"), "[::]:5");
  EXPECT_EQ(Parsed("128.0.0.1:5"), "128.0.0.1:5");
  EXPECT_EQ(Parsed("auth.corp.example:5"), "auth.corp.example:5");
  // A name that only looks like a loopback address is somebody else's.
  EXPECT_EQ(Parsed("127.0.0.1.example.org:5"), "127.0.0.1.example.org:5");
  EXPECT_EQ(Parsed("localhost.example.org:5"), "localhost.example.org:5");
}

TEST(AddressTest, RefusesTheRest) {
  for (const char* text : {"",        ":",           ":5",
                           "host",    "host:",       "host:65536",
                           "host:-1", "host:+5",     "host: 5",
                           "host:5 ", "::1:5",       "[::1]",
                           "[::1:5",  "[host]:5",    "[127.0.0.1]:5",
                           "[]:5",    "127.1:5",     "127.0.0.256:5",
                           "*:5",     "a b:5",       "http://a:5",
                           "-a:5",    ".a:5",        "a:5:6",
                           "a/b:5",   "0127.0.0.1:5"}) {
    EXPECT_EQ(Parsed(text), "none") << text;
  }
}

}  // namespace
}  // namespace credcache
