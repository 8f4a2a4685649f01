// One of each kind of mistake, with the whole message.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "config/config_folder.h"
#include "config/load.h"

namespace credcache {
namespace {

struct Mistake {
  std::string text;
  std::string message;  // DIR stands for the folder; empty: none
};

class MistakesTest : public ::testing::Test {
 protected:
  // Each text as it is.
  void ExpectAll(const std::vector<Mistake>& mistakes) const {
    for (const Mistake& mistake : mistakes) {
      const std::string expected = absl::StrReplaceAll(mistake.message, {{"DIR", folder_.path()}});
      EXPECT_EQ(folder_.Mistakes(mistake.text), expected) << mistake.text;
    }
  }
  // Each text with a realm after it.
  void ExpectBeforeRealm(std::vector<Mistake> mistakes) const {
    for (Mistake& mistake : mistakes) absl::StrAppend(&mistake.text, "\n", kRealm);
    ExpectAll(mistakes);
  }

  ConfigFolder folder_;
};

TEST_F(MistakesTest, Files) {
  EXPECT_EQ(LoadConfig(folder_ / "none").status().message(),
            folder_ / "none" + ":1: file: got No such file or directory, expected a file that can be read");
  EXPECT_EQ(LoadConfig(folder_.path()).status().message(),
            folder_.path() + ":1: file: got Is a directory, expected a file that can be read");
  folder_.Write("long", std::string((size_t{1} << 20) + 1, '#'));
  EXPECT_EQ(LoadConfig(folder_ / "long").status().message(),
            folder_ / "long" + ":1: file: got more than 1 MiB, expected a shorter file");
  folder_.Write("most", absl::StrCat(kRealm, std::string((size_t{1} << 20) - kRealm.size(), '#')));
  EXPECT_TRUE(LoadConfig(folder_ / "most").ok());
}

TEST_F(MistakesTest, Documents) {
  ExpectAll({
      {"", "c.yaml:1: file: got nothing, expected a section with keys and values"},
      {"# only a comment\n", "c.yaml:1: file: got nothing, expected a section with keys and values"},
      {"- a\n", "c.yaml:1: file: got a list, expected a section with keys and values"},
      {"text", "c.yaml:1: file: got \"text\", expected a section with keys and values"},
      {"a: 1\n---\nb: 1\n", "c.yaml:2: file: got something after the end of the document, expected one document"},
      {",", "c.yaml:1: file: got something after the end of the document, expected one document"},
      {"cache:\n  a: \xff\n", "c.yaml:2: file: got bytes that are not text, expected UTF-8 without control characters"},
      {std::string("cache:\n\0", 8),
       "c.yaml:2: file: got bytes that are not text, expected UTF-8 without control characters"},
      {"{}", "c.yaml:1: realms: got nothing, expected at least one realm"},
  });
}

TEST_F(MistakesTest, Syntax) {
  ExpectAll({
      {"listen:\n  grpc: [1\n", "c.yaml:3: file: got bad YAML (end of sequence flow not found), expected valid syntax"},
      {"listen:\n\tgrpc: a\n", "c.yaml:2: file: got bad YAML (illegal map value), expected valid syntax"},
      {"a: *nowhere\n", "c.yaml:1: file: got bad YAML (the referenced anchor is not defined), expected valid syntax"},
      {"a: b: c\n", "c.yaml:1: file: got bad YAML (illegal map value), expected valid syntax"},
  });
}

TEST_F(MistakesTest, Keys) {
  ExpectBeforeRealm({
      {"lisen: {}", "c.yaml:1: lisen: got an unknown key, expected a known one; the nearest is listen"},
      {"listen:\n  grcp: a", "c.yaml:2: listen.grcp: got an unknown key, expected a known one; the nearest is grpc"},
      {"cache:\n  buckets: 1\n\n  buckets: 2",
       "c.yaml:4: cache.buckets: got the key again, expected it once (line 2 has it)"},
      {"cache: {[a]: 1}", "c.yaml:1: cache: got a list as a key, expected text"},
      {"\"a\\nb\": 1", "c.yaml:1: a\\nb: got an unknown key, expected a known one; the nearest is tls"},
      {"cache: &c\n  <<: *c", "c.yaml:2: cache.<<: got an unknown key, expected a known one; the nearest is retire"},
  });
  ExpectAll({
      // A key like no other hides nothing.
      {"realms:\n  - zzzz: r\n    validators: [{file: {path: users}}]",
       "c.yaml:2: realms[0].zzzz: got an unknown key, expected a known one; the nearest is name\n"
       "c.yaml:2: realms[0].name: got nothing, expected the realm's name"},
      // The name is not missing besides.
      {"realms:\n  - naem: r\n    validators: [{file: {path: users}}]",
       "c.yaml:2: realms[0].naem: got an unknown key, expected a known one; the nearest is name"},
      {"realms:\n  - naem: r\n    name: a b\n    validators: [{file: {path: users}}]",
       "c.yaml:2: realms[0].naem: got an unknown key, expected a known one; the nearest is name\n"
       "c.yaml:3: realms[0].name: got \"a b\", expected a realm's name: 1 to 256 bytes without controls, spaces, @, / "
       "and "
       "\\"},
      {"realms:\n  - name: r\n    cache: {buckets: 1}\n    validators: [{file: {path: users}}]",
       "c.yaml:3: realms[0].cache.buckets: got an unknown key, expected a known one; the nearest is supersede"},
      {"realms:\n  - name: r\n    validators: [{fiel: {path: users}}]",
       "c.yaml:3: realms[0].validators[0].fiel: got an unknown key, expected a known one; the nearest is file"},
  });
}

TEST_F(MistakesTest, KeysThatAreNotBuiltYet) {
  const std::string rest = ": got a key that is not built yet in this version, expected no such key";
  for (const char* key : {"journal", "sessions"}) {
    ExpectBeforeRealm({{absl::StrCat(key, ": {}"), absl::StrCat("c.yaml:1: ", key, rest)}});
  }
  for (const char* key : {"sessions", "negotiate"}) {
    ExpectAll({{absl::StrCat("realms:\n- {name: r, ", key, ": {}, validators: [{file: {path: users}}]}"),
                absl::StrCat("c.yaml:2: realms[0].", key, rest)}});
  }
  ExpectBeforeRealm({{"listen: {unix: [{path: s, caller: a}]}\ncallers: [{name: a, allow: [stats], session: {}}]",
                      "c.yaml:2: callers[0].session" + rest}});
}

TEST_F(MistakesTest, Types) {
  const std::string duration = ", expected a duration like 500ms, 30s, 120m or 2h";
  ExpectBeforeRealm({
      {"listen: yes", "c.yaml:1: listen: got \"yes\", expected a section with keys and values"},
      {"listen:", "c.yaml:1: listen: got nothing, expected a section with keys and values"},
      {"listen: []", "c.yaml:1: listen: got an empty list, expected a section with keys and values"},
      {"listen: {grpc: {a: b}}", "c.yaml:1: listen.grpc: got a section, expected text without control characters"},
      {"listen: {grpc: ~}", "c.yaml:1: listen.grpc: got nothing, expected text without control characters"},
      {"listen: {grpc: \"a\\0b\"}", "c.yaml:1: listen.grpc: got \"a\\x00b\", expected text without control characters"},
      {"listen: {unix: s}", "c.yaml:1: listen.unix: got \"s\", expected a list"},
      {"listen:\n  unix:\n  - s", "c.yaml:3: listen.unix[0]: got \"s\", expected a section with keys and values"},
      {"audit: {hits: yes}", "c.yaml:1: audit.hits: got \"yes\", expected true or false"},
      {"audit: {hits: \"true\"}", "c.yaml:1: audit.hits: got \"true\", expected true or false"},
      {"audit: {hits: [true]}", "c.yaml:1: audit.hits: got a list, expected true or false"},
      {"cache: {buckets: many}", "c.yaml:1: cache.buckets: got \"many\", expected a whole number"},
      {"cache: {buckets: 1.5}", "c.yaml:1: cache.buckets: got \"1.5\", expected a whole number"},
      {"cache: {buckets: 0x10}", "c.yaml:1: cache.buckets: got \"0x10\", expected a whole number"},
      {"cache: {buckets: \"1\"}", "c.yaml:1: cache.buckets: got \"1\", expected a whole number"},
      {"cache: {buckets: 99999999999999999999}",
       "c.yaml:1: cache.buckets: got \"99999999999999999999\", expected a whole number"},
      {"cache: {age_limit: 120}", "c.yaml:1: cache.age_limit: got \"120\"" + duration},
      {"cache: {age_limit: -5s}", "c.yaml:1: cache.age_limit: got \"-5s\"" + duration},
      {"cache: {age_limit: two hours}", "c.yaml:1: cache.age_limit: got \"two hours\"" + duration},
      {"cache: {age_limit: {h: 2}}", "c.yaml:1: cache.age_limit: got a section" + duration},
      {"cache: {age_limit:\n}", "c.yaml:1: cache.age_limit: got nothing" + duration},
      {"log: {level: trace}", "c.yaml:1: log.level: got \"trace\", expected one of debug, info, warning, error"},
      {"log: {level: unspecified}",
       "c.yaml:1: log.level: got \"unspecified\", expected one of debug, info, warning, error"},
      {"audit: !!map {hits: true}",
       "c.yaml:1: audit: got the tag \"tag:yaml.org,2002:map\", expected a value without a tag"},
      {"log: {level: " + std::string(100, 'x') + "}",
       "c.yaml:1: log.level: got \"" + std::string(80, 'x') + "...\", expected one of debug, info, warning, error"},
  });
}

TEST_F(MistakesTest, Listeners) {
  const std::string address = ", expected host:port, like 127.0.0.1:50051 or [::1]:0";
  folder_.Write("file", "");
  ExpectBeforeRealm({
      {"listen: {grpc: 50051}", "c.yaml:1: listen.grpc: got \"50051\"" + address},
      {"listen: {admin: \"localhost:65536\"}", "c.yaml:1: listen.admin: got \"localhost:65536\"" + address},
      {"listen: {grpc: 127.0.0.1:9090}",
       "c.yaml:1: listen.grpc: got \"127.0.0.1:9090\", expected two addresses for gRPC and admin"},
      {"listen: {grpc: \"[::]:0\"}",
       "c.yaml:1: listen.grpc: got \"[::]:0\", expected a loopback address, or both tls and callers, or insecure: "
       "true"},
      {"listen: {grpc: \"[::]:0\"}\ntls: {certificate: server.pem, private_key: server.key}",
       "c.yaml:1: listen.grpc: got \"[::]:0\", expected a loopback address, or both tls and callers, or insecure: "
       "true"},
      {"listen: {grpc: \"[::]:0\", insecure: maybe}",
       "c.yaml:1: listen.insecure: got \"maybe\", expected true or false"},
      {"listen: {max_connection_age: 0s}",
       "c.yaml:1: listen.max_connection_age: got \"0s\", expected a duration from 1s to 8760h"},
      {"listen: {max_in_flight: 0}", "c.yaml:1: listen.max_in_flight: got \"0\", expected a number from 1 to 1000000"},
      {"listen: {unix: [{mode: \"0660\"}]}",
       "c.yaml:1: listen.unix[0].path: got nothing, expected the path of the socket"},
      {"listen: {unix: [{path: \"\"}]}", "c.yaml:1: listen.unix[0].path: got \"\", expected the path of a file"},
      {"listen: {unix: [{path: no/s}]}",
       "c.yaml:1: listen.unix[0].path: got \"no/s\", expected a path in a folder that is there (DIR/no is not)"},
      {"listen: {unix: [{path: file}]}",
       "c.yaml:1: listen.unix[0].path: got \"file\", expected the path of a socket, or of nothing yet (DIR/file)"},
      {"listen:\n  unix:\n  - {path: s}\n  - {path: ./s}",
       "c.yaml:4: listen.unix[1].path: got \"./s\", expected another path for each socket"},
      {"listen: {unix: [{path: s, mode: 660}]}",
       "c.yaml:1: listen.unix[0].mode: got \"660\", expected four octal digits from 0000 to 0777"},
      {"listen: {unix: [{path: s, mode: \"0680\"}]}",
       "c.yaml:1: listen.unix[0].mode: got \"0680\", expected four octal digits from 0000 to 0777"},
      {"listen: {unix: [{path: s, group: no-such-group}]}",
       "c.yaml:1: listen.unix[0].group: got \"no-such-group\", expected a group of this machine, or a number"},
      {"listen: {unix: [{path: s, caller: who}]}\ncallers: [{name: a, token_file: token, allow: [stats]}]",
       "c.yaml:1: listen.unix[0].caller: got \"who\", expected the name of one of the callers"},
  });
  const std::string far(110, 'x');
  ExpectBeforeRealm({{absl::StrCat("listen: {unix: [{path: /", far, "}]}"),
                      absl::StrCat("c.yaml:1: listen.unix[0].path: got \"/", far.substr(0, 79),
                                   "...\", expected a path of at most 107 bytes (/", far.substr(0, 79), "...)")}});
}

TEST_F(MistakesTest, FilesThatItNames) {
  folder_.Write("open.key", "x", 0604);
  folder_.Write("empty.key", "", 0600);
  const std::string tls = "tls: {certificate: server.pem, private_key: ";
  ExpectBeforeRealm({
      {"tls: {}",
       "c.yaml:1: tls.certificate: got nothing, expected a PEM file with the server's certificate\n"
       "c.yaml:1: tls.private_key: got nothing, expected a PEM file with the certificate's key"},
      {tls + "no.key}",
       "c.yaml:1: tls.private_key: got \"no.key\", expected a file that can be read (DIR/no.key: No such "
       "file or directory)"},
      {tls + ".}", "c.yaml:1: tls.private_key: got \".\", expected a file that can be read (DIR/: not a regular file)"},
      {tls + "\"\"}", "c.yaml:1: tls.private_key: got \"\", expected the path of a file"},
      {tls + "open.key}",
       "c.yaml:1: tls.private_key: got \"open.key\", expected a file that others can neither read nor "
       "write (DIR/open.key: try chmod o-rw)"},
      {tls + "empty.key}",
       "c.yaml:1: tls.private_key: got \"empty.key\", expected a file with a secret in it "
       "(DIR/empty.key: it is empty)"},
  });
}

TEST_F(MistakesTest, FilesThatItMayNotRead) {
  folder_.Write("closed", "x", 0);
  chmod(folder_.path().c_str(), 0755);
  // Root may read everything; nobody may not.
  const bool is_root = geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(seteuid(65'534), 0);
  }
  ExpectBeforeRealm({{"tls: {certificate: server.pem, private_key: closed}",
                      "c.yaml:1: tls.private_key: got \"closed\", expected a file that can be read "
                      "(DIR/closed: Permission denied)"},
                     {"tls: {certificate: closed, private_key: closed}",
                      "c.yaml:1: tls.certificate: got \"closed\", expected a file that can be read "
                      "(DIR/closed: Permission denied)\n"
                      "c.yaml:1: tls.private_key: got \"closed\", expected a file that can be read "
                      "(DIR/closed: Permission denied)"}});
  if (is_root) {
    ASSERT_EQ(seteuid(0), 0);
  }
}

TEST_F(MistakesTest, Callers) {
  folder_.Write("open.token", "x", 0644);
  const std::string tls = "tls: {certificate: server.pem, private_key: server.key, client_ca: ca.pem}\n";
  ExpectBeforeRealm({
      {"callers: []", "c.yaml:1: callers: got an empty list, expected at least one entry, or no such key"},
      {"callers:", "c.yaml:1: callers: got nothing, expected a list"},
      {tls + "callers: [{certificate: a.example, allow: [stats]}]",
       "c.yaml:2: callers[0].name: got nothing, expected the caller's name"},
      {tls + "callers: [{name: a b, certificate: a.example, allow: [stats]}]",
       "c.yaml:2: callers[0].name: got \"a b\", expected text of 1 to 256 bytes without spaces"},
      {tls + "callers: [{name: a, allow: [stats]}]",
       "c.yaml:2: callers[0].certificate: got nothing, expected a certificate, a token_file, or a unix socket with "
       "this "
       "caller"},
      {tls + "callers: [{name: a, certificate: a.example, token_file: token, allow: [stats]}]",
       "c.yaml:2: callers[0].token_file: got \"token\", expected either a certificate or a token_file"},
      {"callers: [{name: a, certificate: a.example, allow: [stats]}]",
       "c.yaml:1: callers[0].certificate: got \"a.example\", expected tls.client_ca in this file, which says whose "
       "certificates count"},
      {"callers: [{name: a, token_file: token, allow: [stats]}]",
       "c.yaml:1: callers[0].token_file: got \"token\", expected tls or a unix socket in this file, as no token may "
       "come "
       "in the clear"},
      // Two mistakes of one key are two.
      {"callers: [{name: a, token_file: open.token, allow: [stats]}]",
       "c.yaml:1: callers[0].token_file: got \"open.token\", expected a file that others can neither read nor write "
       "(DIR/open.token: try chmod o-rw)\n"
       "c.yaml:1: callers[0].token_file: got \"open.token\", expected tls or a unix socket in this file, as no token "
       "may come "
       "in the clear"},
      {tls + "callers: [{name: a, token_file: open.token, allow: [stats]}]",
       "c.yaml:2: callers[0].token_file: got \"open.token\", expected a file that others can neither read nor write "
       "(DIR/open.token: try chmod o-rw)"},
      {tls + "callers: [{name: a, certificate: a.example}]",
       "c.yaml:2: callers[0].allow: got nothing, expected at least one of authenticate, negotiate, delegate, "
       "invalidate, "
       "invalidate_all, stats"},
      {tls + "callers: [{name: a, certificate: a.example, allow: [stats, root]}]",
       "c.yaml:2: callers[0].allow[1]: got \"root\", expected one of authenticate, negotiate, delegate, invalidate, "
       "invalidate_all, stats"},
      {tls + "callers: [{name: a, certificate: a.example, allow: [stats, stats]}]",
       "c.yaml:2: callers[0].allow[1]: got \"stats\", expected each permission once"},
      {tls + "callers: [{name: a, certificate: a.example, allow: [stats], realms: [R]}]",
       "c.yaml:2: callers[0].realms[0]: got \"R\", expected the name of one of the realms, as it is written there"},
      {tls + "callers: [{name: a, certificate: a.example, allow: [stats], realms: []}]",
       "c.yaml:2: callers[0].realms: got an empty list, expected at least one entry, or no such key"},
      {tls + "callers: [{name: a, certificate: a.example, allow: [stats], audiences: [b, b]}]",
       "c.yaml:2: callers[0].audiences[1]: got \"b\", expected each entry once"},
      {tls + "callers: [{name: a, certificate: a.example, allow: [stats], max_age: 8761h}]",
       "c.yaml:2: callers[0].max_age: got \"8761h\", expected a duration from 0s to 8760h"},
      {tls + "callers:\n- {name: a, certificate: a.example, allow: [stats]}\n- {name: a, certificate: a.example, "
             "allow: [stats]}",
       "c.yaml:4: callers[1].name: got \"a\", expected another name than callers[0] (line 3)\n"
       "c.yaml:4: callers[1].certificate: got \"a.example\", expected another certificate than callers[0] (line 3)"},
  });
}

TEST_F(MistakesTest, CacheLimits) {
  ExpectBeforeRealm({
      {"cache: {buckets: 65537}", "c.yaml:1: cache.buckets: got \"65537\", expected a number from 0 to 65536"},
      {"cache: {buckets: -1}", "c.yaml:1: cache.buckets: got \"-1\", expected a number from 0 to 65536"},
      {"cache: {max_entries: 0}", "c.yaml:1: cache.max_entries: got \"0\", expected a number from 1 to 1000000000"},
      {"cache: {max_entries: 255}",
       "c.yaml:1: cache.max_entries: got \"255\", expected at least one for each of the 256 buckets"},
      {"cache: {age_limit: 0s}", "c.yaml:1: cache.age_limit: got \"0s\", expected a duration from 1ms to 8760h"},
      {"cache: {idle_limit: 121m}", "c.yaml:1: cache.idle_limit: got \"121m\", expected at most the age_limit of 2h"},
      {"cache: {negative: {first: 2m, longest: 1m}}",
       "c.yaml:1: cache.negative.first: got \"2m\", expected at most negative.longest, 1m"},
      {"cache: {negative: {longest: 31m}}",
       "c.yaml:1: cache.negative.longest: got \"31m\", expected a duration from 0s to 30m"},
      {"cache: {negative: {first: 2m, longest: 0s}}", "ok"},
      {"cache: {stale_grace: 169h}", "c.yaml:1: cache.stale_grace: got \"169h\", expected a duration from 0s to 168h"},
      {"cache: {retire: 8761h}", "c.yaml:1: cache.retire: got \"8761h\", expected a duration from 0s to 8760h"},
      {"cache: {quarantine: 61m}", "c.yaml:1: cache.quarantine: got \"61m\", expected a duration from 0s to 1h"},
  });
}

TEST_F(MistakesTest, Realms) {
  const std::string file = "validators: [{file: {path: users}}]";
  const std::string name = ", expected a realm's name: 1 to 256 bytes without controls, spaces, @, / and \\";
  ExpectAll({
      {"realms: []", "c.yaml:1: realms: got an empty list, expected at least one realm"},
      {"realms: [{" + file + "}]", "c.yaml:1: realms[0].name: got nothing, expected the realm's name"},
      {"realms: [{name: r}]", "c.yaml:1: realms[0].validators: got nothing, expected at least one validator"},
      {"realms: [{name: r, validators: [{}]}]",
       "c.yaml:1: realms[0].validators[0]: got a section, expected one of file, ldap, postgres, remote, pam, kerberos"},
      {"realms: [{name: r, validators: [{file: {}}]}]",
       "c.yaml:1: realms[0].validators[0].file.path: got nothing, expected the path of a password file"},
      {"realms: [{name: r, validators: [{file: {path: none}}]}]",
       "c.yaml:1: realms[0].validators[0].file.path: got \"none\", expected a file that can be read (DIR/none: No such "
       "file or directory)"},
      {"realms:\n- name: r\n  validators:\n  - file: {path: users}\n    ldap: {}",
       "c.yaml:5: realms[0].validators[0].ldap: got ldap beside file, expected one of them (line 4 has file)"},
      {"realms: [{name: a@b, " + file + "}]", "c.yaml:1: realms[0].name: got \"a@b\"" + name},
      {"realms: [{name: a b, " + file + "}]", "c.yaml:1: realms[0].name: got \"a b\"" + name},
      {"realms: [{name: r, aliases: ['A\\B'], " + file + "}]", "c.yaml:1: realms[0].aliases[0]: got \"A\\\\B\"" + name},
      {"realms:\n- {name: a, default: true, aliases: [B], " + file + "}\n- {name: b, " + file + "}",
       "c.yaml:3: realms[1].name: got \"b\", expected each name once, upper or lower case (line 2 has it)"},
      {"realms:\n- {name: a, " + file + "}\n- {name: b, " + file + "}",
       "c.yaml:1: realms: got no default realm, expected default: true in one of them"},
      {"realms:\n- {name: a, default: true, " + file + "}\n- {name: b, default: true, " + file + "}",
       "c.yaml:3: realms[1].default: got \"true\", expected one default realm (a is it already)"},
  });
}

TEST_F(MistakesTest, Directories) {
  folder_.Write("open.secret", "x", 0644);
  const auto expect = [&](absl::string_view keys, absl::string_view message) {
    const std::string section = "realms[0].validators[0].ldap";
    ExpectAll({{absl::StrCat("realms:\n- name: r\n  validators:\n  - ldap: {", keys, "}"),
                message == "ok" ? "ok" : absl::StrCat("c.yaml:4: ", section, ".", message)}});
  };
  const std::string user = "user_dn: 'uid={username},dc=x'";
  const std::string urls = "urls: ['ldaps://h']";
  const std::string search = "base: 'dc=x', filter: '(uid={username})'";
  const std::string url = ", expected a URL of scheme, host and port, like ldap://dc1.example.org:389";
  const std::string either = ", expected either base and filter, or user_dn";
  const std::string syntax = ", expected a search filter (RFC 4515) with {username} in it, like (uid={username})";
  expect(user, "urls: got nothing, expected at least one URL, like ldap://dc1.example.org:389");
  expect("urls: [h], " + user, "urls[0]: got \"h\"" + url);
  expect("urls: ['ldaps://h', 'http://h'], " + user, "urls[1]: got \"http://h\"" + url);
  expect("urls: ['ldap://h'], " + user,
         "urls[0]: got \"ldap://h\", expected start_tls or ldaps://, as this sends passwords in the clear");
  expect("urls: ['ldap://127.0.0.1'], " + user, "ok");
  expect("urls: ['ldap://h'], start_tls: true, " + user, "ok");
  expect("start_tls: true, urls: ['ldaps://h'], " + user,
         "urls[0]: got \"ldaps://h\", expected ldap:// with start_tls, or ldaps:// without");
  expect("start_tls: on, urls: ['ldap://h'], " + user, "start_tls: got \"on\", expected true or false");
  expect(urls + ", ca: no.pem, " + user,
         "ca: got \"no.pem\", expected a file that can be read (DIR/no.pem: No such file or directory)");
  expect(urls + ", bind_dn: 'cn=r', " + search,
         "bind_password_file: got nothing, expected the file with the password of bind_dn");
  expect(urls + ", bind_password_file: reader.secret, " + search,
         "bind_dn: got nothing, expected the DN that bind_password_file is for");
  expect(urls + ", bind_dn: '', bind_password_file: reader.secret, " + search,
         "bind_dn: got \"\", expected a DN, or no such key");
  expect(urls + ", user_dn: ''", "user_dn: got \"\", expected a DN or a principal's name with {username} in it");
  expect(urls + ", base: '" + std::string(4097, '=') + "', filter: '(uid={username})'",
         "base: got \"" + std::string(80, '=') + "...\", expected text of at most 4096 bytes");
  expect(urls + ", bind_dn: 'cn=r', bind_password: hunter2, " + search,
         "bind_password: got an unknown key, expected a known one; the nearest is bind_password_file");
  expect(urls + ", bind_dn: 'cn=r', bind_password_file: open.secret, " + search,
         "bind_password_file: got \"open.secret\", expected a file that others can neither read nor write "
         "(DIR/open.secret: try chmod o-rw)");
  expect(urls, "filter: got nothing, expected base and filter, or user_dn");
  expect(urls + ", base: 'dc=x'", "filter: got nothing, expected a search filter with {username} in it");
  expect(urls + ", filter: '(uid={username})'", "base: got nothing, expected the DN to search under");
  expect(urls + ", base: people, filter: '(uid={username})'",
         "base: got \"people\", expected a DN, like ou=people,dc=example,dc=org");
  expect(urls + ", base: 'dc=x', filter: '(uid={username}'", "filter: got \"(uid={username}\"" + syntax);
  expect(urls + ", base: 'dc=x', filter: '(uid=alice)'", "filter: got \"(uid=alice)\"" + syntax);
  expect(urls + ", base: 'dc=x', " + user, "base: got \"dc=x\"" + either);
  expect(urls + ", base: 'dc=x', user_dn: '{username}@x'", "ok");
  expect(urls + ", base: x, user_dn: '{username}@x'",
         "base: got \"x\", expected a DN, like ou=people,dc=example,dc=org");
  expect(urls + ", nested_groups_base: 'dc=x', " + user, "ok");
  expect(urls + ", nested_groups_base: 'dc=x', base: 'dc=x', user_dn: '{username}@x'", "ok");
  expect(urls + ", nested_groups_base: 'dc=x', user_dn: '{username}@x'",
         "nested_groups_base: got \"dc=x\", expected base too, to look for the user's entry by its principal's name");
  expect(urls + ", nested_groups_base: x, " + user,
         "nested_groups_base: got \"x\", expected a DN, like ou=people,dc=example,dc=org");
  expect(urls + ", nested_groups_base: 'dc=x', groups: memberOf, " + user,
         "nested_groups_base: got \"dc=x\", expected either groups, an attribute, or nested_groups_base");
  expect(urls + ", filter: '(uid={username})', " + user, "filter: got \"(uid={username})\"" + either);
  expect(urls + ", user_dn: 'uid=alice'",
         "user_dn: got \"uid=alice\", expected a DN or a principal's name with {username} in it");
  expect(urls + ", username: 'a b', " + user, "username: got \"a b\", expected the name of an attribute");
  expect(urls + ", groups: '', " + user, "groups: got \"\", expected the name of an attribute");
  expect(urls + ", attributes: [mail, 'x=y'], " + user,
         "attributes[1]: got \"x=y\", expected the name of an attribute");
  expect(urls + ", connections: 0, " + user, "connections: got \"0\", expected a number from 1 to 1024");
  expect(urls + ", timeout: 2m, " + user, "timeout: got \"2m\", expected a duration from 100ms to 1m");
  expect(urls + ", feed: true, " + search, "ok");
  expect(urls + ", feed: false, " + user, "ok");
  expect(urls + ", feed: true, " + user,
         "feed: got \"true\", expected base and filter instead of user_dn, since what is under base is watched, or no "
         "feed");
  expect(urls + ", timeout: 99ms, " + user, "timeout: got \"99ms\", expected a duration from 100ms to 1m");
}

TEST_F(MistakesTest, Databases) {
  folder_.Write("open.secret", "x", 0644);
  const auto expect = [&](absl::string_view keys, absl::string_view message) {
    const std::string section = "realms[0].validators[0].postgres";
    ExpectAll({{absl::StrCat("realms:\n- name: r\n  validators:\n  - postgres: {", keys, "}"),
                message == "ok" ? "ok" : absl::StrCat("c.yaml:4: ", section, ".", message)}});
  };
  const std::string query = "query: 'select hash from a where n = $1'";
  const std::string both = "dsn_file: dsn, " + query;
  const std::string select =
      ", expected a SELECT of the user named $1, like select hash, id, groups from account where name = $1";
  expect(both, "ok");
  expect(query, "dsn_file: got nothing, expected the file with the connection string");
  expect("dsn_file: open.secret, " + query,
         "dsn_file: got \"open.secret\", expected a file that others can neither read nor write (DIR/open.secret: try "
         "chmod o-rw)");
  expect("dsn_file: dsn", "query: got nothing" + select);
  expect("dsn_file: dsn, query: select 1", "query: got \"select 1\"" + select);
  expect(both + ", connections: 0", "connections: got \"0\", expected a number from 1 to 1024");
  expect(both + ", timeout: 99ms", "timeout: got \"99ms\", expected a duration from 100ms to 1m");
  expect(both + ", feed: true, channel: c", "ok");
  expect(both + ", channel: c", "channel: got \"c\", expected feed: true beside it");
  const std::string long_one(64, 'x');
  expect(both + ", feed: true, channel: " + long_one,
         "channel: got \"" + long_one + "\", expected a channel's name of 1 to 63 bytes");
}

TEST_F(MistakesTest, AllAtOnceInTheOrderOfTheFile) {
  ExpectAll(
      {{R"(listen:
  grcp: 127.0.0.1:50051
cache:
  buckets: many
  age_limit: 2
journal: {}
realms:
  - name: corp example
    validators:
      - file: {path: none}
)",
        "c.yaml:2: listen.grcp: got an unknown key, expected a known one; the nearest is grpc\n"
        "c.yaml:4: cache.buckets: got \"many\", expected a whole number\n"
        "c.yaml:5: cache.age_limit: got \"2\", expected a duration like 500ms, 30s, 120m or 2h\n"
        "c.yaml:6: journal: got a key that is not built yet in this version, expected no such key\n"
        "c.yaml:8: realms[0].name: got \"corp example\", expected a realm's name: 1 to 256 bytes without controls, "
        "spaces, @, / and \\\n"
        "c.yaml:10: realms[0].validators[0].file.path: got \"none\", expected a file that can be read (DIR/none: No "
        "such file or directory)"}});
}

TEST_F(MistakesTest, AliasesDoNotMakeAFileEndless) {
  std::string text = "realms:\n- &r {name: r, aliases: &a [";
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&text, "a", i, ",");
  absl::StrAppend(&text, "]}\n");
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&text, "- *r\n");
  EXPECT_EQ(folder_.Mistakes(text),
            "c.yaml:1: file: got more than 100000 values, expected fewer (aliases count each time)");
  EXPECT_NE(folder_.Mistakes("realms: &r\n- *r\n"), "ok");
  EXPECT_NE(folder_.Mistakes(std::string(500'000, '[')), "ok");
}

}  // namespace
}  // namespace credcache
