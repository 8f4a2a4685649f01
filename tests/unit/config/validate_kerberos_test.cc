#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "config/config.h"
#include "config/config_folder.h"

namespace credcache {
namespace {

class ValidateKerberosTest : public ::testing::Test {
 protected:
  ValidateKerberosTest() { folder_.Write("open.keytab", "x", 0644); }
  static std::string With(absl::string_view keys) {
    return absl::StrCat("realms:\n- name: r\n  validators:\n  - kerberos: {", keys, "}");
  }
  void Expect(absl::string_view keys, absl::string_view message) const {
    const std::string expected = absl::StrCat("c.yaml:4: realms[0].validators[0].kerberos.",
                                              absl::StrReplaceAll(message, {{"DIR", folder_.path()}}));
    EXPECT_EQ(folder_.Mistakes(With(keys)), expected) << keys;
  }

  ConfigFolder folder_;
};

TEST_F(ValidateKerberosTest, Good) {
  const auto config = folder_.Parse(With("realm: CORP.EXAMPLE, keytab: k.keytab, service: host/mail.corp.example"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(
      std::get<KerberosConfig>((*config)->realms[0].validators[0].backend),
      (KerberosConfig{.realm = "CORP.EXAMPLE", .keytab = folder_ / "k.keytab", .service = "host/mail.corp.example"}));
  const auto all =
      folder_.Parse(With("realm: R, keytab: k.keytab, service: imap/m, krb5_conf: krb5.conf, workers: 3, timeout: 1s"));
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(std::get<KerberosConfig>((*all)->realms[0].validators[0].backend),
            (KerberosConfig{.realm = "R",
                            .keytab = folder_ / "k.keytab",
                            .service = "imap/m",
                            .krb5_conf = folder_ / "krb5.conf",
                            .workers = 3,
                            .timeout = absl::Seconds(1)}));
}

TEST_F(ValidateKerberosTest, Mistakes) {
  const std::string realm = ", expected a Kerberos realm, like CORP.EXAMPLE";
  const std::string service = ", expected the principal in the keytab without its realm, like host/mail.corp.example";
  Expect("keytab: k.keytab, service: host/m", "realm: got nothing" + realm);
  for (const char* bad : {"A@B", "A/B", "A B", "A:B"}) {
    Expect(absl::StrCat("realm: '", bad, "', keytab: k.keytab, service: host/m"),
           absl::StrCat("realm: got \"", bad, "\"", realm));
  }
  Expect("realm: R, service: host/m", "keytab: got nothing, expected the file with the keys of the service");
  Expect(
      "realm: R, keytab: open.keytab, service: host/m",
      "keytab: got \"open.keytab\", expected a file that others can neither read nor write (DIR/open.keytab: try chmod "
      "o-rw)");
  Expect("realm: R, keytab: k.keytab", "service: got nothing" + service);
  for (const char* bad : {"host", "/m", "host/", "host/m@R", "a b/m"}) {
    Expect(absl::StrCat("realm: R, keytab: k.keytab, service: '", bad, "'"),
           absl::StrCat("service: got \"", bad, "\"", service));
  }
  const std::string good = "realm: R, keytab: k.keytab, service: host/m, ";
  Expect(good + "krb5_conf: no.conf",
         "krb5_conf: got \"no.conf\", expected a file that can be read (DIR/no.conf: No such file or directory)");
  Expect(good + "workers: 0", "workers: got \"0\", expected a number from 1 to 1024");
  Expect(good + "timeout: 99ms", "timeout: got \"99ms\", expected a duration from 100ms to 1m");
  Expect(good + "timeout: 2m", "timeout: got \"2m\", expected a duration from 100ms to 1m");
  Expect(good + "password: x", "password: got an unknown key, expected a known one; the nearest is workers");
}

}  // namespace
}  // namespace credcache
