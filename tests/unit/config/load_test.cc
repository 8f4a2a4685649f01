#include "config/load.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "config/config_folder.h"

namespace credcache {
namespace {

class LoadTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Config> Load(absl::string_view text) {
    const auto config = folder_.Parse(text);
    EXPECT_TRUE(config.ok()) << config.status().message();
    return config.ok() ? *config : std::make_shared<const Config>();
  }

  ConfigFolder folder_;
};

TEST_F(LoadTest, OneRealmIsEnough) {
  const auto config = Load(kRealm);
  EXPECT_EQ(config->listen.grpc.ToString(), "127.0.0.1:50051");
  EXPECT_EQ(config->listen.admin.ToString(), "127.0.0.1:9090");
  EXPECT_FALSE(config->tls.has_value());
  EXPECT_FALSE(config->callers.has_value());
  ASSERT_EQ(config->realms.size(), 1U);
  EXPECT_TRUE(config->realms[0].is_default);
  EXPECT_EQ(&config->DefaultRealm(), &config->realms[0]);
  EXPECT_EQ(std::get<FileConfig>(config->realms[0].validators[0].backend).path, folder_ / "users");
}

TEST_F(LoadTest, RelativeFilesAreFromTheFileAndAbsoluteOnesFromTheRoot) {
  folder_.Write("c.yaml", kRealm);
  const auto relative = LoadConfig(folder_ / "c.yaml");
  ASSERT_TRUE(relative.ok()) << relative.status().message();
  EXPECT_EQ(std::get<FileConfig>((*relative)->realms[0].validators[0].backend).path, folder_ / "users");
  const auto absolute =
      Load(absl::StrCat("realms: [{name: r, validators: [{file: {path: ", folder_ / "users", "}}]}]"));
  EXPECT_EQ(std::get<FileConfig>(absolute->realms[0].validators[0].backend).path, folder_ / "users");
}

TEST_F(LoadTest, ReadsListenersTlsAndCallers) {
  const auto config = Load(absl::StrCat(R"(
listen:
  grpc: "[::]:443"
  unix: [{path: s, mode: "0600", group: root, caller: local}, {path: t, group: "12345"}]
  max_connection_age: 1h
  max_in_flight: 10
tls: {certificate: server.pem, private_key: server.key, client_ca: ca.pem}
callers:
  - {name: local, allow: [stats]}
  - {name: front, certificate: "spiffe://x/front", allow: [authenticate, invalidate_all], realms: [r], audiences: [a, b], max_age: 0s}
  - {name: tool, token_file: token, allow: [stats]}
log: {level: error}
audit: {hits: true}
)",
                                        kRealm));
  EXPECT_EQ(config->listen.grpc.ToString(), "[::]:443");
  ASSERT_EQ(config->listen.unix_sockets.size(), 2U);
  EXPECT_EQ(config->listen.unix_sockets[0].path, folder_ / "s");
  EXPECT_EQ(config->listen.unix_sockets[0].mode, 0600U);
  EXPECT_EQ(config->listen.unix_sockets[0].gid, 0U);
  EXPECT_EQ(config->listen.unix_sockets[0].caller, "local");
  EXPECT_EQ(config->listen.unix_sockets[1].mode, 0660U);
  EXPECT_EQ(config->listen.unix_sockets[1].gid, 12345U);
  EXPECT_EQ(config->listen.max_connection_age, absl::Hours(1));
  EXPECT_EQ(config->listen.max_in_flight, 10);
  EXPECT_EQ(config->tls->private_key, folder_ / "server.key");
  const auto& callers = *config->callers;
  ASSERT_EQ(callers.size(), 3U);
  EXPECT_EQ(callers[0].audiences, std::vector<std::string>{"local"});
  EXPECT_EQ(callers[0].realms, std::nullopt);
  EXPECT_EQ(callers[1].allow, PermissionSet({Permission::kAuthenticate, Permission::kInvalidateAll}));
  EXPECT_EQ(callers[1].realms, std::vector<std::string>{"r"});
  EXPECT_EQ(callers[1].audiences, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(callers[1].max_age, absl::ZeroDuration());
  EXPECT_EQ(callers[2].token_file, folder_ / "token");
  EXPECT_EQ(config->log.level, LogLevel::kError);
  EXPECT_TRUE(config->audit.hits);
}

TEST_F(LoadTest, RealmsInheritTheCacheKeyByKey) {
  const auto config = Load(R"(
cache: {age_limit: 1h, idle_limit: 20m, negative: {first: 10s, longest: 1m}, stale_grace: 5m, buckets: 0}
realms:
  - {name: a, default: true, validators: [{file: {path: users}}], cache: {idle_limit: 1m, negative: {longest: 0s}}}
  - {name: b, validators: [{file: {path: users}}], cache: {age_limit: 10m, supersede: false}}
)");
  EXPECT_EQ(config->cache.buckets, 0);
  const CachePolicy& a = config->realms[0].policy;
  EXPECT_EQ(a.age_limit, absl::Hours(1));
  EXPECT_EQ(a.idle_limit, absl::Minutes(1));
  EXPECT_EQ(a.negative_first, absl::Seconds(10));
  EXPECT_EQ(a.negative_longest, absl::ZeroDuration());
  EXPECT_EQ(a.stale_grace, absl::Minutes(5));
  const CachePolicy& b = config->realms[1].policy;
  EXPECT_EQ(b.age_limit, absl::Minutes(10));
  EXPECT_EQ(b.idle_limit, absl::Minutes(10)) << "an inherited idle limit is never longer than the age";
  EXPECT_EQ(b.negative_longest, absl::Minutes(1));
  EXPECT_FALSE(b.supersede);
}

TEST_F(LoadTest, NegativesLastFiveMinutesAtMostWithoutAChangeFeed) {
  const auto config = Load(R"yaml(
cache: {negative: {first: 10m, longest: 30m}}
realms:
  - {name: fed, default: true, validators: [{file: {path: users}}]}
  - {name: both, validators: [{file: {path: users}}, {ldap: {urls: ["ldaps://a"], user_dn: "uid={username},dc=a"}}]}
  - name: unfed
    validators: [{ldap: {urls: ["ldaps://a"], user_dn: "uid={username},dc=a"}}]
    cache: {negative: {longest: 20m}}
  - {name: unheard, validators: [{postgres: {dsn_file: dsn, query: "select hash from a where n = $1"}}]}
  - {name: heard, validators: [{postgres: {dsn_file: dsn, query: "select hash from a where n = $1", feed: true}}]}
  - name: synced
    validators: [{ldap: {urls: ["ldaps://a"], base: dc=a, filter: "(uid={username})", feed: true}}]
)yaml");
  for (const size_t fed : {0, 4, 5}) EXPECT_EQ(config->realms[fed].policy.negative_longest, absl::Minutes(30)) << fed;
  for (const size_t fed : {0, 4}) EXPECT_EQ(config->realms[fed].policy.negative_first, absl::Minutes(10)) << fed;
  for (const size_t unfed : {1, 2, 3}) {
    EXPECT_EQ(config->realms[unfed].policy.negative_longest, absl::Minutes(5));
    EXPECT_EQ(config->realms[unfed].policy.negative_first, absl::Minutes(5));
  }
}

TEST_F(LoadTest, ReadsBothKindsOfLdap) {
  const auto config = Load(R"yaml(
realms:
  - name: r
    validators:
      - ldap: {urls: ["ldap://dc1.example"], start_tls: true, ca: ca.pem, bind_dn: "cn=r", bind_password_file: reader.secret,
               base: "ou=p", filter: "(uid={username})", groups: memberOf, attributes: [mail], connections: 2, timeout: 1s,
               feed: true}
        continue_on_rejected: true
      - ldap: {urls: ["ldaps://dc1.example", "ldaps://dc2.example:1636"], user_dn: "{username}@corp.example"}
      - ldap: {urls: ["ldap://127.0.0.1:3890"], user_dn: "uid={username},ou=p", username: uid}
)yaml");
  const auto& validators = config->realms[0].validators;
  ASSERT_EQ(validators.size(), 3U);
  EXPECT_TRUE(validators[0].continue_on_rejected);
  EXPECT_FALSE(validators[1].continue_on_rejected);
  const auto& search = std::get<LdapConfig>(validators[0].backend);
  EXPECT_EQ(search.urls, std::vector<std::string>{"ldap://dc1.example:389"});
  EXPECT_TRUE(search.start_tls);
  EXPECT_EQ(search.ca, folder_ / "ca.pem");
  EXPECT_EQ(search.bind_password_file, folder_ / "reader.secret");
  EXPECT_EQ(search.filter, "(uid={username})");
  EXPECT_EQ(search.username, "uid");
  EXPECT_EQ(search.attributes, std::vector<std::string>{"mail"});
  EXPECT_EQ(search.connections, 2);
  EXPECT_EQ(search.timeout, absl::Seconds(1));
  const auto& direct = std::get<LdapConfig>(validators[1].backend);
  EXPECT_EQ(direct.urls, (std::vector<std::string>{"ldaps://dc1.example:636", "ldaps://dc2.example:1636"}));
  EXPECT_EQ(direct.username, "");
  EXPECT_TRUE(search.feed);
  EXPECT_FALSE(direct.feed);
  EXPECT_EQ(std::get<LdapConfig>(validators[2].backend).username, "uid");
}

TEST_F(LoadTest, AnchorsAndAliasesWork) {
  const auto config = Load(R"(
realms:
  - {name: a, default: true, cache: &c {age_limit: 1h}, validators: &v [{file: {path: users}}]}
  - {name: b, cache: *c, validators: *v}
)");
  ASSERT_EQ(config->realms.size(), 2U);
  EXPECT_EQ(config->realms[0].policy, config->realms[1].policy);
  EXPECT_EQ(config->realms[0].validators, config->realms[1].validators);
}

TEST_F(LoadTest, AByteOrderMarkAndWindowsLinesDoNoHarm) {
  EXPECT_EQ(folder_.Mistakes(absl::StrCat("\xef\xbb\xbf# x\r\naudit: {hits: true}\r\n", kRealm)), "ok");
}

}  // namespace
}  // namespace credcache
