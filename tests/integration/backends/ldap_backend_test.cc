// What a real slapd says, and what LdapBackend makes of it.
#include "backends/ldap_backend.h"

#include <cstdlib>
#include <vector>

#include "absl/strings/str_join.h"
#include "backends/ldap_fixture.h"
#include "backends/ldap_identity.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string People() {
  return absl::StrCat(
      Person("alice", "s3cret",
             "mail: alice@corp.example\nou: staff\nou: mail users\nentryUUID: 11111111-2222-3333-4444-555555555555\n"),
      Person("bob", "s3cret", "mail: twice@corp.example\n"), Person("carol", "s3cret", "mail: twice@corp.example\n"),
      // "jürgen" and "*)(uid=*" and "smith, john".
      "dn:: dWlkPWrDvHJnZW4sb3U9cGVvcGxlLGRjPWNvcnAsZGM9ZXhhbXBsZQ==\nobjectClass: inetOrgPerson\nuid:: asO8cmdlbg==\n"
      "cn: x\nsn: x\nuserPassword: s3cret\n\n",
      "dn: uid=*)(uid\\3D*,ou=people,dc=corp,dc=example\nobjectClass: inetOrgPerson\nuid: *)(uid=*\ncn: x\nsn: x\n"
      "userPassword: s3cret\n\n",
      "dn: uid=smith\\2C john,ou=people,dc=corp,dc=example\nobjectClass: inetOrgPerson\nuid: smith, john\ncn: x\nsn: "
      "x\n"
      "userPassword: s3cret\n\n",
      "dn: uid=nopassword,ou=people,dc=corp,dc=example\nobjectClass: inetOrgPerson\nuid: nopassword\ncn: x\nsn: x\n\n",
      Person("locky", "s3cret", "pwdPolicySubentry: cn=lock,dc=corp,dc=example\n"),
      Person("stamped", "s3cret", "pwdChangedTime: 20261124204430Z\n"),
      Person("oldie", "s3cret", "pwdPolicySubentry: cn=age,dc=corp,dc=example\npwdChangedTime: 20010101000000Z\n"),
      Person("newbie", "s3cret", "pwdPolicySubentry: cn=change,dc=corp,dc=example\npwdReset: TRUE\n"));
}

class SlapdTest : public LdapBackendTest {
 protected:
  static void SetUpTestSuite() { TheSlapd() = std::make_unique<Slapd>(Slapd::Options{.people = People()}); }
  static void TearDownTestSuite() { TheSlapd().reset(); }
  static Slapd& slapd() { return *TheSlapd(); }

 private:
  static std::unique_ptr<Slapd>& TheSlapd() {
    static auto& slapd = *new std::unique_ptr<Slapd>();
    return slapd;
  }
};

TEST_F(SlapdTest, SearchesAndBinds) {
  Start(BySearch(slapd().url()));
  const auto verdict = Ask("Alice", "s3cret");
  ASSERT_EQ(Words(verdict), "accepted");
  EXPECT_EQ(verdict->identity.username(), "alice");
  EXPECT_EQ(verdict->identity.subject(), "11111111-2222-3333-4444-555555555555");
  EXPECT_THAT(verdict->identity.details().groups, UnorderedElementsAre("staff", "mail users"));
  EXPECT_THAT(verdict->identity.details().attributes, ElementsAre(Pair("mail", "alice@corp.example")));
  EXPECT_EQ(Decide("alice", "guess"), "wrong password");
  EXPECT_EQ(Decide("nobody", "s3cret"), "unknown user");
  EXPECT_EQ(Decide("nopassword", "s3cret"), "wrong password");
  EXPECT_THAT(reporter_.Take(), IsEmpty());
}

TEST_F(SlapdTest, BindsDirectly) {
  Start(Directly(slapd().url()));
  const auto verdict = Ask("alice", "s3cret");
  ASSERT_EQ(Words(verdict), "accepted");
  EXPECT_EQ(verdict->identity.subject(), "11111111-2222-3333-4444-555555555555");
  EXPECT_THAT(verdict->identity.details().groups, UnorderedElementsAre("staff", "mail users"));
  EXPECT_EQ(Decide("alice", "guess"), "wrong password");
  EXPECT_EQ(Decide("nobody", "s3cret"), "wrong password");  // slapd does not tell them apart
  EXPECT_EQ((*Resolve("nobody"))->name.view(), "nobody");
}

TEST_F(SlapdTest, ResolvesOnceAndValidatesWithoutAnotherSearch) {
  Start(BySearch(slapd().url()));
  const auto account = Resolve("alice");
  ASSERT_TRUE(account.ok() && account->has_value());
  EXPECT_EQ(LdapLocator::Of((*account)->locator).dn, Dn("alice"));
  EXPECT_EQ((*account)->subject, "11111111-2222-3333-4444-555555555555");
  const int searches = slapd().Logged("SRCH base=\"ou=people");
  const auto verdict = Ask("alice", "s3cret", &**account);
  EXPECT_EQ(Words(verdict), "accepted");
  EXPECT_THAT(verdict->identity.details().groups, UnorderedElementsAre("staff", "mail users"));
  EXPECT_EQ(slapd().Logged("SRCH base=\"ou=people"), searches);
  EXPECT_FALSE(Resolve("nobody")->has_value());
}

TEST_F(SlapdTest, TheStampOfThePasswordIsToldToWhomItMatters) {
  LdapBackendOptions options = BySearch(slapd().url());
  Start(options);
  EXPECT_EQ(Ask("stamped", "s3cret")->password_stamp, 0);
  options.identity.password_stamp = true;
  Start(options);
  EXPECT_EQ(Ask("stamped", "s3cret")->password_stamp, 1795553070);
  EXPECT_THAT(reporter_.Take(), IsEmpty());
  EXPECT_EQ(Ask("alice", "s3cret")->password_stamp, 0) << "the directory shows none";
  EXPECT_THAT(reporter_.Take(), ElementsAre(testing::StartsWith("ldap_no_stamp")));
  // A password that was changed between the look at the entry and the bind is not known to be that one.
  auto account = Resolve("stamped");
  (*account)->locator = LdapLocator{.dn = Dn("stamped"), .password_stamp = 1795553069}.Text();
  EXPECT_THAT(Words(Ask("stamped", "s3cret", &**account)), HasSubstr("changed while its password was checked"));
  EXPECT_EQ(Words(Ask("stamped", "guess", &**account)), "wrong password");
}

TEST_F(SlapdTest, OneAccountUnderManyNames) {
  LdapBackendOptions options = BySearch(slapd().url());
  options.filter = "(|(uid={username})(mail={username}))";
  Start(options);
  EXPECT_EQ((*Resolve("alice@corp.example"))->name.view(), "alice");
  EXPECT_EQ(Ask("alice@corp.example", "s3cret")->identity.username(), "alice");
}

TEST_F(SlapdTest, AnAmbiguousNameIsUnknownAndReported) {
  LdapBackendOptions options = BySearch(slapd().url());
  options.filter = "(mail={username})";
  Start(options);
  EXPECT_EQ(Decide("twice@corp.example", "s3cret"), "unknown user");
  EXPECT_FALSE(Resolve("twice@corp.example")->has_value());
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("ldap_ambiguous_name"), HasSubstr("ldap_ambiguous_name")));
}

TEST_F(SlapdTest, OneBindForOneLogOn) {
  for (const LdapBackendOptions& options : {BySearch(slapd().url()), Directly(slapd().url())}) {
    Start(options);
    const int before = slapd().Binds(Dn("bob"));
    EXPECT_EQ(Decide("bob", "s3cret"), "accepted");
    EXPECT_EQ(slapd().Binds(Dn("bob")), before + 1);
    EXPECT_EQ(Decide("bob", "guess"), "wrong password");
    EXPECT_EQ(slapd().Binds(Dn("bob")), before + 2);
  }
}

TEST_F(SlapdTest, AMadeUpNameCostsABindThatIsNobodys) {
  Start(BySearch(slapd().url()));
  const int before = slapd().Logged("BIND dn=\"cn=nobody-");
  EXPECT_EQ(Decide("made-up", "guess"), "unknown user");
  EXPECT_EQ(slapd().Logged("BIND dn=\"cn=nobody-"), before + 1);
}

TEST_F(SlapdTest, ConnectionsAreKept) {
  Start(BySearch(slapd().url()));
  const int before = slapd().Logged("ACCEPT from");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Decide("bob", "s3cret"), "accepted");
    EXPECT_EQ(Decide("bob", "guess"), "wrong password");
  }
  EXPECT_LE(slapd().Logged("ACCEPT from"), before + 4);  // two threads of two each
}

TEST_F(SlapdTest, HostileNamesStayNames) {
  for (const LdapBackendOptions& options : {BySearch(slapd().url()), Directly(slapd().url())}) {
    Start(options);
    EXPECT_EQ(Decide("*)(uid=*", "s3cret"), "accepted");  // somebody is called that
    EXPECT_EQ(Ask("*)(uid=*", "s3cret")->identity.username(), "*)(uid=*");
    EXPECT_EQ(Decide("smith, john", "s3cret"), "accepted");
    EXPECT_EQ(Decide("J\xc3\xbcrgen", "s3cret"), "accepted");
    EXPECT_EQ(Decide("ju\xcc\x88rgen", "s3cret"), "accepted");
    for (const absl::string_view name : {"*", "a*", "alice)(|(uid=*", "(", "\\2a", "alice,ou=people", "alice+cn=x", "#",
                                         "\"", "al\\69ce", "{username}", "cn=reader,dc=corp,dc=example"}) {
      EXPECT_NE(Decide(name, "s3cret"), "accepted") << name;
      EXPECT_NE(Decide(name, Slapd::kReaderPassword), "accepted") << name;
      EXPECT_TRUE(Ask(name, "s3cret").ok()) << name << ": " << Decide(name, "s3cret");
    }
  }
}

TEST_F(SlapdTest, PasswordsAreAnyBytesButNone) {
  Start(Directly(slapd().url()));
  const int before = slapd().Logged("BIND dn=");
  EXPECT_EQ(Decide("alice", ""), "wrong password");
  EXPECT_EQ(slapd().Logged("BIND dn="), before);
  EXPECT_EQ(Decide("alice", absl::string_view("s3cret\0", 7)), "wrong password");
  EXPECT_EQ(Decide("alice", absl::string_view("\0", 1)), "wrong password");
  EXPECT_EQ(Decide("alice", std::string(1024, '\xff')), "wrong password");
}

TEST_F(SlapdTest, ALockedAccountIsLockedWhateverThePassword) {
  Start(BySearch(slapd().url()));
  EXPECT_EQ(Decide("locky", "s3cret"), "accepted");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Decide("locky", "guess"), "wrong password");
  EXPECT_EQ(Decide("locky", "s3cret"), "locked");
  EXPECT_EQ(Decide("locky", "guess"), "locked");
}

TEST_F(SlapdTest, ExpiryAndMustChangeAreToldOnlyAfterTheRightPassword) {
  for (const LdapBackendOptions& options : {BySearch(slapd().url()), Directly(slapd().url())}) {
    Start(options);
    EXPECT_EQ(Decide("oldie", "s3cret"), "expired");
    EXPECT_EQ(Decide("oldie", "guess"), "wrong password");
    EXPECT_EQ(Decide("newbie", "s3cret"), "expired");
    EXPECT_EQ(Decide("newbie", "guess"), "wrong password");
  }
}

TEST_F(SlapdTest, AWrongServiceAccountIsNamedAndNotTriedOnAndOn) {
  WriteFile(folder_ / "reader.secret", "wrong");
  Start(BySearch(slapd().url()));
  const int before = slapd().Binds(Slapd::kReader);
  EXPECT_THAT(Decide("alice", "s3cret"), HasSubstr("refuses the service's own account (bind_dn, bind_password_file)"));
  for (int i = 0; i < 10; ++i) EXPECT_THAT(Decide("alice", "s3cret"), HasSubstr("UNAVAILABLE"));
  EXPECT_EQ(slapd().Binds(Slapd::kReader), before + 1);
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("ldap_server_down")));

  WriteFile(folder_ / "reader.secret", "");
  Start(BySearch(slapd().url()));
  EXPECT_THAT(Decide("alice", "s3cret"), HasSubstr("reader.secret is empty"));
  LdapBackendOptions options = BySearch(slapd().url());
  options.bind_password_file = folder_ / "missing";
  Start(options);
  EXPECT_THAT(Decide("alice", "s3cret"), HasSubstr("No such file"));
}

TEST_F(SlapdTest, MistakesOfTheConfigurationAreErrorsWithAName) {
  LdapBackendOptions options = BySearch(slapd().url());
  options.base = "ou=nowhere,dc=corp,dc=example";
  Start(options);
  EXPECT_THAT(Decide("alice", "s3cret"), HasSubstr("base ou=nowhere,dc=corp,dc=example is not there"));
  options = BySearch(slapd().url());
  options.filter = "(uid={username}";
  Start(options);
  EXPECT_THAT(Decide("alice", "s3cret"), HasSubstr("UNAVAILABLE: the filter is none"));
  options = BySearch(slapd().url());
  options.urls = {"http://127.0.0.1:1"};
  Start(options);
  EXPECT_THAT(Decide("alice", "s3cret"), HasSubstr("LDAP URL"));
}

TEST_F(SlapdTest, ManyAtOnce) {
  LdapBackendOptions options = BySearch(slapd().url());
  options.connections = 8;
  Start(options);
  const int before = slapd().Binds(Dn("carol"));
  constexpr int kAsked = 2000;
  std::vector<absl::Notification> answered(kAsked);
  std::vector<std::string> words(kAsked);
  const Username carol = *Username::Normalize("carol", CaseRule::kFold);
  for (int i = 0; i < kAsked; ++i) {
    backend_->Validate({.username = carol, .password = SecretView(i % 2 == 0 ? "s3cret" : "guess")},
                       [&, i](absl::StatusOr<Verdict> verdict) {
                         words[i] = Words(verdict);
                         answered[i].Notify();
                       });
  }
  for (int i = 0; i < kAsked; ++i) {
    answered[i].WaitForNotification();
    EXPECT_EQ(words[i], i % 2 == 0 ? "accepted" : "wrong password");
  }
  EXPECT_EQ(slapd().Binds(Dn("carol")), before + kAsked);
}

TEST_F(SlapdTest, AUserPrincipalNameIsNotEscapedAndKeepsItsDomain) {
  LdapBackendOptions options = Directly(slapd().url());
  options.user_dn = "{username}@corp.example";
  Start(options);
  EXPECT_EQ(Decide("alice@other.example", "s3cret"), "unknown user");
  EXPECT_EQ(Decide("corp\\alice", "s3cret"), "unknown user");
  // slapd knows no such names, and says what is wrong with them.
  EXPECT_THAT(Decide("alice", "s3cret"), HasSubstr("UNAVAILABLE"));
}

}  // namespace
}  // namespace credcache
