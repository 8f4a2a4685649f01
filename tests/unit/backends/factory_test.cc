#include "backends/factory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "backends/ask.h"
#include "backends/recording_reporter.h"
#include "base/fake_clock.h"

namespace credcache {
namespace {

using ::testing::HasSubstr;

class FactoryTest : public ::testing::Test {
 protected:
  // Why the backend cannot answer: names the file or server that it was built for.
  std::string Trouble(const ValidatorConfig& config) {
    const std::unique_ptr<Validator> backend = BuildBackend(config, realm_, {clock_, randomness_, reporter_});
    const Username alice = *Username::Normalize("alice", CaseRule::kFold);
    return AskAndWait(*backend, {.username = alice, .password = SecretView("s3cret")}).status().ToString();
  }

  const RealmConfig realm_ = {.name = "corp.example"};
  FakeClock clock_;
  SystemRandomness randomness_;
  RecordingReporter reporter_;
};

TEST_F(FactoryTest, BuildsWhatTheConfigurationNames) {
  const ValidatorConfig file = {.backend = FileConfig{.path = "/nowhere/users"}};
  EXPECT_EQ(BackendKind(file), "file");
  EXPECT_THAT(Trouble(file), HasSubstr("UNAVAILABLE: /nowhere/users"));

  // Port 1 of loopback: nobody listens.
  const ValidatorConfig ldap = {.backend =
                                    LdapConfig{.urls = {"ldap://127.0.0.1:1"}, .user_dn = "uid={username},dc=x"}};
  EXPECT_EQ(BackendKind(ldap), "ldap");
  EXPECT_THAT(Trouble(ldap), HasSubstr("UNAVAILABLE: ldap://127.0.0.1:1: connecting: Connection refused"));

  const ValidatorConfig kerberos = {
      .backend = KerberosConfig{
          .realm = "X", .keytab = "/nowhere/k", .service = "host/x", .krb5_conf = "/nowhere/krb5.conf", .workers = 1}};
  EXPECT_EQ(BackendKind(kerberos), "kerberos");
  EXPECT_TRUE(AsksOthers(kerberos));
  EXPECT_THAT(Trouble(kerberos), HasSubstr("UNAVAILABLE: /nowhere/krb5.conf: "));

  const ValidatorConfig postgres = {.backend = PostgresConfig{.dsn_file = "/nowhere/dsn", .query = "select $1"}};
  EXPECT_EQ(BackendKind(postgres), "postgres");
  EXPECT_THAT(Trouble(postgres), HasSubstr("UNAVAILABLE: dsn_file /nowhere/dsn cannot be opened"));

  // Not asked: it would start this program, which is no helper.
  const ValidatorConfig pam = {.backend = PamConfig{.service = "credcache"}};
  EXPECT_EQ(BackendKind(pam), "pam");
  EXPECT_TRUE(AsksOthers(pam));
  EXPECT_NE(BuildBackend(pam, realm_, {clock_, randomness_, reporter_}), nullptr);
}

}  // namespace
}  // namespace credcache
