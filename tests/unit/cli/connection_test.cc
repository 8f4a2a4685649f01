#include "cli/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace credcache::cli {
namespace {

using ::testing::HasSubstr;

TEST(AddressTest, TakesHostsPortsAndSockets) {
  EXPECT_EQ(*ParseAddress("127.0.0.1:50052"), "127.0.0.1:50052");
  EXPECT_EQ(*ParseAddress("auth.example.org"), "auth.example.org:50051");
  EXPECT_EQ(*ParseAddress("[::1]:50052"), "[::1]:50052");
  EXPECT_EQ(*ParseAddress("[::1]"), "[::1]:50051");
  EXPECT_EQ(*ParseAddress("::1"), "[::1]:50051");
  EXPECT_EQ(*ParseAddress("unix:/run/credcache.sock"), "unix:/run/credcache.sock");
  EXPECT_EQ(*ParseAddress("unix:///run/credcache.sock"), "unix:///run/credcache.sock");
  EXPECT_EQ(*ParseAddress("dns:///auth.example.org:50051"), "dns:///auth.example.org:50051");
}

TEST(AddressTest, SaysWhatIsWrong) {
  const auto message = [](const std::string& address) { return std::string(ParseAddress(address).status().message()); };
  EXPECT_THAT(message(""), HasSubstr("the host is missing"));
  EXPECT_THAT(message(":50051"), HasSubstr("the host is missing"));
  EXPECT_THAT(message("localhost:"), HasSubstr("is not a port"));
  EXPECT_THAT(message("localhost:imap"), HasSubstr("\"imap\" is not a port"));
  EXPECT_THAT(message("localhost:0"), HasSubstr("is not a port"));
  EXPECT_THAT(message("localhost:65536"), HasSubstr("is not a port"));
  EXPECT_THAT(message("unix:"), HasSubstr("path is missing"));
  EXPECT_THAT(message("unix:/" + std::string(108, 'x')), HasSubstr("too long"));
  EXPECT_THAT(message("/run/credcache.sock"), HasSubstr("unix:/PATH"));
  EXPECT_THAT(message("https://auth.example.org"), HasSubstr("URLs are not understood"));
}

TEST(ConnectionTest, ATokenNeverTravelsInTheClear) {
  ConnectionOptions options;
  options.token_file = "/dev/null";
  EXPECT_THAT(std::string(Connection::Open(options).status().message()), HasSubstr("in the clear"));
}

TEST(ConnectionTest, FilesThatAreNotThereAreNamed) {
  ConnectionOptions options;
  options.tls.ca = "/nonexistent/ca.pem";
  EXPECT_EQ(Connection::Open(options).status().message(), "--ca /nonexistent/ca.pem: No such file or directory");
}

TEST(ConnectionTest, ACertificateNeedsItsKey) {
  ConnectionOptions options;
  options.tls.certificate = "/nonexistent/me.pem";
  EXPECT_THAT(std::string(Connection::Open(options).status().message()), HasSubstr("go together"));
}

}  // namespace
}  // namespace credcache::cli
