// The configuration after every check: plain values that the other folders read.
//
// Made once by LoadConfig (load.h), from then on immutable and shared as std::shared_ptr<const Config>; a reload makes
// another. Reading needs no lock. Every default is filled in, every file is an absolute path, and what one part says of
// another (a caller's realms, a socket's caller) exists. No secret is in here: passwords, keys and tokens stay in their
// files, for whoever uses them to read.
//
// What the keys mean to an operator is in service/docs/credcached.yaml.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/cache_policy.h"
#include "base/throttle_policy.h"

namespace credcache {

// Where to listen. `host` is an IP address without brackets or a host name; port 0: the kernel chooses.
struct ListenAddress {
  std::string host;
  uint16_t port = 0;

  // "127.0.0.1:50051", "[::1]:50051".
  std::string ToString() const;
  // Whether only this machine reaches it: 127.0.0.0/8, ::1, localhost.
  bool IsLoopback() const;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

struct UnixSocketConfig {
  std::string path;
  uint32_t mode = 0660;         // permission bits
  std::optional<uint32_t> gid;  // of the group named; none: the process's own
  std::string caller;           // whoever opens the socket is that caller; empty: nobody yet, a token tells

  friend bool operator==(const UnixSocketConfig&, const UnixSocketConfig&) = default;
};

struct ListenConfig {
  ListenAddress grpc = {.host = "127.0.0.1", .port = 50051};
  std::vector<UnixSocketConfig> unix_sockets;
  ListenAddress admin = {.host = "127.0.0.1", .port = 9090};
  bool insecure = false;  // a non-loopback address without TLS and callers is meant
  absl::Duration max_connection_age = absl::Minutes(10);
  int max_in_flight = 65'536;  // calls under way; more are RESOURCE_EXHAUSTED

  friend bool operator==(const ListenConfig&, const ListenConfig&) = default;
};

// PEM files, watched by whoever uses them.
struct TlsConfig {
  std::string certificate;
  std::string private_key;
  std::string client_ca;  // empty: no client certificates are asked for

  friend bool operator==(const TlsConfig&, const TlsConfig&) = default;
};

// What a caller may do (api.md, `callers.allow`).
enum class Permission : uint8_t { kAuthenticate, kNegotiate, kDelegate, kInvalidate, kInvalidateAll, kStats };
inline constexpr int kPermissions = 6;

// As the configuration writes it: "invalidate_all".
absl::string_view Name(Permission permission);

class PermissionSet {
 public:
  constexpr PermissionSet() = default;
  constexpr PermissionSet(std::initializer_list<Permission> permissions) {
    for (const Permission permission : permissions) Add(permission);
  }
  static constexpr PermissionSet All() {
    PermissionSet all;
    all.bits_ = (1U << kPermissions) - 1;
    return all;
  }

  constexpr void Add(Permission permission) { bits_ |= 1U << static_cast<unsigned>(permission); }
  constexpr bool Contains(Permission permission) const {
    return (bits_ & (1U << static_cast<unsigned>(permission))) != 0;
  }
  constexpr bool empty() const { return bits_ == 0; }

  friend bool operator==(const PermissionSet&, const PermissionSet&) = default;

 private:
  uint32_t bits_ = 0;
};

// A front end. At most one of `certificate` and `token_file` is set; a caller with neither comes by a unix socket.
struct CallerConfig {
  std::string name;
  std::string certificate;  // a URI or DNS name (subjectAltName) of the client's certificate; empty: none
  std::string token_file;   // the bearer token, whitespace at the ends aside; empty: none
  PermissionSet allow;
  std::optional<std::vector<std::string>> realms;  // names as in RealmConfig::name; absent: all
  std::vector<std::string> audiences;              // those it may name; never empty: by default its own name
  std::optional<absl::Duration> max_age;           // its own, tighter age limit

  friend bool operator==(const CallerConfig&, const CallerConfig&) = default;
};

struct CacheConfig {
  int buckets = 256;  // 0: no cache, every log-on is validated
  int64_t max_entries = 1'000'000;
  CachePolicy policy;  // what realms start from; they carry the merged result

  friend bool operator==(const CacheConfig&, const CacheConfig&) = default;
};

struct ThrottleConfig {
  ThrottlePolicy policy;
  BudgetPolicy budget;  // what realms start from; they carry the merged result
  ThrottleMemory memory;

  friend bool operator==(const ThrottleConfig&, const ThrottleConfig&) = default;
};

struct AuditConfig {
  bool hits = false;  // an event for answers from the cache too

  friend bool operator==(const AuditConfig&, const AuditConfig&) = default;
};

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };
inline constexpr int kLogLevels = 4;

// As the configuration writes it: "warning".
absl::string_view Name(LogLevel level);

struct LogConfig {
  LogLevel level = LogLevel::kInfo;

  friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

struct FileConfig {
  std::string path;  // username:hash[:key=value,...] (api.md, section 2)

  friend bool operator==(const FileConfig&, const FileConfig&) = default;
};

// Either `base` and `filter` are set (search, then bind), or `user_dn` (bind at once).
struct LdapConfig {
  std::vector<std::string> urls;  // ldap:// or ldaps://, host and port; tried in order; at least one
  bool start_tls = false;
  std::string ca;                       // PEM; empty: the system's
  std::string bind_dn;                  // who searches; empty: anonymous
  std::string bind_password_file;       // set when bind_dn is; a newline at the end does not count
  std::string base;                     // also with a userPrincipalName, whose entry is looked for there
  std::string filter;                   // with {username}, to be escaped by RFC 4515
  std::string user_dn;                  // with {username}: a DN, to be escaped by RFC 4514, or a userPrincipalName
  std::string username = "uid";         // the attribute of the canonical name; empty (user_dn only): the name itself
  std::string groups;                   // the attribute of the groups; empty: none are read
  std::string nested_groups_base;       // instead: the groups below that hold the user, through others too
  std::vector<std::string> attributes;  // those that go into Identity
  int connections = 16;
  absl::Duration timeout = absl::Seconds(3);  // of one operation, connecting included
  bool feed = false;                          // hears of changes; only where base and filter are set

  friend bool operator==(const LdapConfig&, const LdapConfig&) = default;
};

struct PostgresConfig {
  std::string dsn_file;  // a libpq connection string; whitespace at the ends does not count
  std::string query;     // with $1
  int connections = 8;
  absl::Duration timeout = absl::Seconds(3);  // of one operation, connecting included
  bool feed = false;
  std::string channel = "credcache";  // of NOTIFY, for the feed

  friend bool operator==(const PostgresConfig&, const PostgresConfig&) = default;
};

// PEM files, watched by whoever uses them.
struct RemoteTlsConfig {
  std::string ca;           // empty: the system's
  std::string certificate;  // empty: none is shown
  std::string private_key;  // set when certificate is

  friend bool operator==(const RemoteTlsConfig&, const RemoteTlsConfig&) = default;
};

struct RemoteConfig {
  std::string address;                        // unix:ABSOLUTE_PATH, or host:port
  std::optional<RemoteTlsConfig> tls;         // absent: in the clear, to this machine
  absl::Duration timeout = absl::Seconds(3);  // of one question, connecting included
  bool feed = false;                          // changes are heard of by Watch

  friend bool operator==(const RemoteConfig&, const RemoteConfig&) = default;
};

struct PamConfig {
  std::string service;        // a service file's name
  std::string config_folder;  // of service files; empty: the system's
  bool system_users = true;   // users are looked up in the system's databases
  int workers = 4;
  absl::Duration timeout = absl::Seconds(5);  // of one question

  friend bool operator==(const PamConfig&, const PamConfig&) = default;
};

struct KerberosConfig {
  std::string realm;
  std::string keytab;     // has keys of `service`
  std::string service;    // a principal without its realm, "host/mail.corp.example"
  std::string krb5_conf;  // empty: the system's
  int workers = 8;
  absl::Duration timeout = absl::Seconds(3);  // of one question

  friend bool operator==(const KerberosConfig&, const KerberosConfig&) = default;
};

struct ValidatorConfig {
  std::variant<FileConfig, LdapConfig, PostgresConfig, RemoteConfig, PamConfig, KerberosConfig> backend;
  bool continue_on_rejected = false;  // a rejection, too, goes on to the next validator

  friend bool operator==(const ValidatorConfig&, const ValidatorConfig&) = default;
};

// Names and aliases are as written, and unique among all realms after Username::Normalize with CaseRule::kFold: compare
// them in that form.
struct RealmConfig {
  std::string name;
  bool is_default = false;  // of exactly one realm
  std::vector<std::string> aliases;
  bool case_sensitive = false;              // of usernames
  CachePolicy policy;                       // the realm's `cache` over the global one
  BudgetPolicy budget;                      // likewise
  std::vector<ValidatorConfig> validators;  // at least one, asked in order

  friend bool operator==(const RealmConfig&, const RealmConfig&) = default;
};

struct Config {
  ListenConfig listen;
  std::optional<TlsConfig> tls;                      // of the gRPC address, not of unix sockets
  std::optional<std::vector<CallerConfig>> callers;  // absent: whoever reaches us may call everything
  CacheConfig cache;
  ThrottleConfig throttle;
  AuditConfig audit;
  LogConfig log;
  std::vector<RealmConfig> realms;  // at least one

  const RealmConfig& DefaultRealm() const;
  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace credcache
