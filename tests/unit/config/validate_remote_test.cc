// The plug-in validator: what it is told, and each mistake with the whole message.
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "config/config_folder.h"

namespace credcache {
namespace {

class ValidateRemoteTest : public ::testing::Test {
 protected:
  static std::string Realm(absl::string_view keys) {
    return absl::StrCat("realms:\n- name: r\n  validators:\n  - remote: {", keys, "}");
  }
  void Expect(absl::string_view keys, absl::string_view message) const {
    const std::string expected = absl::StrCat("c.yaml:4: realms[0].validators[0].remote.",
                                              absl::StrReplaceAll(message, {{"DIR", folder_.path()}}));
    EXPECT_EQ(folder_.Mistakes(Realm(keys)), expected) << keys;
  }
  RemoteConfig Good(absl::string_view keys) const {
    const auto config = folder_.Parse(Realm(keys));
    EXPECT_TRUE(config.ok()) << config.status();
    return config.ok() ? std::get<RemoteConfig>((*config)->realms[0].validators[0].backend) : RemoteConfig();
  }

  ConfigFolder folder_;
};

TEST_F(ValidateRemoteTest, Addresses) {
  EXPECT_EQ(Good("address: 'unix:/run/plugin.sock'"), (RemoteConfig{.address = "unix:/run/plugin.sock"}));
  EXPECT_EQ(Good("address: 'unix:here/../plugin.sock'").address, absl::StrCat("unix:", folder_ / "plugin.sock"));
  EXPECT_EQ(Good("address: '127.0.0.1:50055'").address, "127.0.0.1:50055");
  EXPECT_EQ(Good("address: '[::1]:50055'").address, "[::1]:50055");
  EXPECT_EQ(Good("address: 'localhost:50055'").address, "localhost:50055");
  EXPECT_EQ(Good("address: 'plugin.example:50055', tls: {}"),
            (RemoteConfig{.address = "plugin.example:50055", .tls = RemoteTlsConfig()}));
  const RemoteConfig all = Good(
      "address: 'h:1', timeout: 5s, feed: true, tls: {ca: ca.pem, certificate: server.pem, private_key: server.key}");
  EXPECT_EQ(all.timeout, absl::Seconds(5));
  EXPECT_TRUE(all.feed);
  EXPECT_EQ(*all.tls, (RemoteTlsConfig{.ca = folder_ / "ca.pem",
                                       .certificate = folder_ / "server.pem",
                                       .private_key = folder_ / "server.key"}));
}

TEST_F(ValidateRemoteTest, Mistakes) {
  const std::string address = ", expected unix:PATH, or host:port, like unix:/run/plugin.sock";
  Expect("", "address: got nothing" + address);
  for (const char* bad : {"plugin.sock", "host", "host:0", "host:", ":1", "dns:///h:1", "unix-abstract:x"}) {
    Expect(absl::StrCat("address: '", bad, "'"), absl::StrCat("address: got \"", bad, "\"", address));
  }
  Expect("address: 'unix:'", "address: got \"unix:\", expected the path of a file");
  const std::string is_long = "/" + std::string(107, 'x');
  Expect("address: 'unix:" + is_long + "'", "address: got \"unix:/" + std::string(74, 'x') +
                                                "...\", expected a path of at most 107 bytes (/" +
                                                std::string(79, 'x') + "...)");
  Expect(
      "address: 'plugin.example:1'",
      "address: got \"plugin.example:1\", expected tls, or a loopback address, as this sends passwords in the clear");
  Expect("address: 'unix:/x', tls: {ca: ca.pem}",
         "tls: got a section, expected no TLS to a unix socket, which leads to no network");
  Expect("address: 'h:1', tls: yes", "tls: got \"yes\", expected a section with keys and values");
  Expect("address: 'h:1', tls: {ca: none.pem}",
         "tls.ca: got \"none.pem\", expected a file that can be read (DIR/none.pem: No such file or directory)");
  Expect("address: 'h:1', tls: {certificate: server.pem}",
         "tls.private_key: got nothing, expected the private key of the certificate");
  Expect("address: 'h:1', tls: {private_key: server.key}",
         "tls.certificate: got nothing, expected the certificate that private_key is for");
  folder_.Write("open.key", "secret", 0644);
  Expect("address: 'h:1', tls: {certificate: server.pem, private_key: open.key}",
         "tls.private_key: got \"open.key\", expected a file that others can neither read nor write (DIR/open.key: try "
         "chmod o-rw)");
  Expect("address: 'unix:/x', timeout: 99ms", "timeout: got \"99ms\", expected a duration from 100ms to 1m");
  Expect("address: 'unix:/x', timeout: 61s", "timeout: got \"61s\", expected a duration from 100ms to 1m");
  Expect("address: 'unix:/x', feed: maybe", "feed: got \"maybe\", expected true or false");
}

// What is remembered of a rejection, and for how long, depends on it.
TEST_F(ValidateRemoteTest, WithAFeedNegativeEntriesMayLast) {
  for (const bool feed : {false, true}) {
    const auto config = folder_.Parse(Realm(absl::StrCat("address: 'unix:/x', feed: ", feed ? "true" : "false")));
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ((*config)->realms[0].policy.negative_longest, absl::Minutes(feed ? 30 : 5));
  }
}

}  // namespace
}  // namespace credcache
