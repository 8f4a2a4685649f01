// Directories that are down, late, or not whom they claim to be.
#include <cstdlib>
#include <vector>

#include "backends/ldap_fixture.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class OutageTest : public LdapBackendTest {
 protected:
  static std::string People() { return Person("alice", "s3cret"); }

  // What is decided, and how long it took.
  std::pair<std::string, absl::Duration> Timed(absl::string_view password) {
    const MonotonicTime start = clock_.Monotonic();
    std::string words = Decide("alice", password);
    return {words, clock_.Monotonic() - start};
  }
};

TEST_F(OutageTest, AFrozenServerIsUnavailableWithinTheTimeoutAndServesAgainByItself) {
  Slapd slapd({.people = People()});
  for (LdapBackendOptions options : {BySearch(slapd.url()), Directly(slapd.url())}) {
    options.timeout = absl::Seconds(1);
    Start(options);
    EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
    const int binds = slapd.Binds(Dn("alice"));
    slapd.Freeze();
    for (int i = 0; i < 3; ++i) {
      const auto [words, took] = Timed("s3cret");
      EXPECT_THAT(words, StartsWith("UNAVAILABLE"));
      EXPECT_LT(took, absl::Milliseconds(1300));
    }
    slapd.Thaw();
    EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
    // At most the first was sent; the others asked first whether somebody is there.
    EXPECT_LE(slapd.Binds(Dn("alice")), binds + 2);
  }
}

TEST_F(OutageTest, ManyWaitingForAFrozenServerAreAllAnsweredInTime) {
  Slapd slapd({.people = People()});
  LdapBackendOptions options = BySearch(slapd.url());
  options.timeout = absl::Seconds(1);
  Start(options);
  EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
  slapd.Freeze();
  const MonotonicTime start = clock_.Monotonic();
  constexpr int kAsked = 500;
  std::vector<absl::Notification> answered(kAsked);
  std::vector<std::string> words(kAsked);
  const Username alice = *Username::Normalize("alice", CaseRule::kFold);
  for (int i = 0; i < kAsked; ++i) {
    backend_->Validate({.username = alice, .password = SecretView("s3cret")}, [&, i](absl::StatusOr<Verdict> verdict) {
      words[i] = Words(verdict);
      answered[i].Notify();
    });
  }
  for (int i = 0; i < kAsked; ++i) {
    answered[i].WaitForNotification();
    EXPECT_THAT(words[i], StartsWith("UNAVAILABLE"));
  }
  EXPECT_LT(clock_.Monotonic() - start, absl::Milliseconds(1500));
}

TEST_F(OutageTest, KilledInTheMiddleOfABindIsUnavailableAndNeverSentAgain) {
  Slapd slapd({.people = People()});
  Slapd other({.people = People()});
  LdapBackendOptions options = Directly(slapd.url());
  options.urls.push_back(other.url());
  Start(options);
  EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
  slapd.Freeze();
  absl::Notification answered;
  std::string words;
  const Username alice = *Username::Normalize("alice", CaseRule::kFold);
  backend_->Validate({.username = alice, .password = SecretView("s3cret")}, [&](absl::StatusOr<Verdict> verdict) {
    words = Words(verdict);
    answered.Notify();
  });
  slapd.AwaitUnread();  // the bind is on its way
  EXPECT_FALSE(answered.HasBeenNotified());
  slapd.Kill();
  answered.WaitForNotification();
  EXPECT_THAT(words, StartsWith("UNAVAILABLE"));
  EXPECT_EQ(other.Binds(Dn("alice")), 0);
  EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
  EXPECT_EQ(other.Binds(Dn("alice")), 1);
}

TEST_F(OutageTest, ARestartedServerIsUsedAgainWithoutOneFailure) {
  Slapd slapd({.people = People()});
  for (const LdapBackendOptions& options : {BySearch(slapd.url()), Directly(slapd.url())}) {
    Start(options);
    EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
    slapd.Stop();
    slapd.Start();
    const int binds = slapd.Binds(Dn("alice"));
    EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
    EXPECT_EQ(slapd.Binds(Dn("alice")), binds + 1);
    slapd.Stop();
    const auto [words, took] = Timed("s3cret");
    EXPECT_THAT(words, HasSubstr("Connection refused"));
    EXPECT_LT(took, absl::Milliseconds(500));
    slapd.Start();
    EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
    EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("ldap_server_down"), HasSubstr("ldap_server_up")));
  }
}

TEST_F(OutageTest, TheSecondServerServesWhileTheFirstIsDownAndTheFirstAgainAfterwards) {
  Slapd first({.people = People()});
  Slapd second({.people = People()});
  LdapBackendOptions options = BySearch(first.url());
  options.urls.push_back(second.url());
  Start(options);
  EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
  EXPECT_EQ(second.Binds(Dn("alice")), 0);

  first.Stop();
  EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
  EXPECT_EQ(second.Binds(Dn("alice")), 1);
  first.Start();

  // Probed behind an answer once the cool-down of five seconds is over.
  const int before = first.Binds(Dn("alice"));
  const MonotonicTime deadline = clock_.Monotonic() + absl::Seconds(15);
  while (first.Binds(Dn("alice")) == before && clock_.Monotonic() < deadline) {
    EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
    absl::SleepFor(absl::Milliseconds(200));
  }
  EXPECT_GT(first.Binds(Dn("alice")), before);
}

TEST_F(OutageTest, AFrozenFirstServerCostsOneLogOnAndNotEach) {
  Slapd first({.people = People()});
  Slapd second({.people = People()});
  LdapBackendOptions options = BySearch(first.url());
  options.urls.push_back(second.url());
  options.connections = 1;
  Start(options);
  EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
  first.Freeze();
  EXPECT_EQ(Decide("alice", "s3cret"), "accepted");  // the search went to the second in time
  const MonotonicTime start = clock_.Monotonic();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
  EXPECT_LT(clock_.Monotonic() - start, absl::Seconds(1));
  first.Thaw();
}

TEST_F(OutageTest, NoServerAtAll) {
  LdapBackendOptions options = BySearch("ldap://127.0.0.1:1");
  options.urls.emplace_back("ldap://no-such-host.invalid");
  Start(options);
  EXPECT_THAT(Decide("alice", "s3cret"), StartsWith("UNAVAILABLE"));
  EXPECT_FALSE(Resolve("alice").ok());
}

TEST_F(OutageTest, CallersDeadlinesHold) {
  Slapd slapd({.people = People()});
  Start(BySearch(slapd.url()));
  EXPECT_THAT(Words(Ask("alice", "s3cret", nullptr, clock_.Monotonic())), StartsWith("UNAVAILABLE"));
  slapd.Freeze();
  const MonotonicTime start = clock_.Monotonic();
  EXPECT_THAT(Words(Ask("alice", "s3cret", nullptr, start + absl::Milliseconds(300))), StartsWith("UNAVAILABLE"));
  EXPECT_LT(clock_.Monotonic() - start, absl::Milliseconds(600));
  slapd.Thaw();
}

class TlsTest : public OutageTest {
 protected:
  TlsTest() { MakeCertificates(folder_); }

  Slapd::Options With(absl::string_view certificate) const {
    return {.people = People(),
            .certificate = folder_ / absl::StrCat(certificate, ".pem"),
            .private_key = folder_ / absl::StrCat(certificate, ".key")};
  }

  LdapBackendOptions Trusting(LdapBackendOptions options, absl::string_view ca, bool start_tls) const {
    options.tls = {.start_tls = start_tls, .ca = folder_ / ca};
    return options;
  }
};

TEST_F(TlsTest, StartTlsAndLdapsKeepTheirConnections) {
  Slapd slapd(With("server"));
  for (const LdapBackendOptions& options :
       {Trusting(BySearch(slapd.url()), "ca.pem", true), Trusting(Directly(slapd.ldaps_url()), "ca.pem", false)}) {
    Start(options);
    const int before = slapd.Logged("ACCEPT from");
    const int tls = slapd.Logged("TLS established");
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
      EXPECT_EQ(Decide("alice", "guess"), "wrong password");
    }
    EXPECT_LE(slapd.Logged("ACCEPT from"), before + 4);
    EXPECT_EQ(slapd.Logged("TLS established") - tls, slapd.Logged("ACCEPT from") - before);
  }
}

TEST_F(TlsTest, StrangersCertificatesAreRefusedByName) {
  Slapd slapd(With("server"));
  Slapd stray(With("stray"));
  struct Case {
    LdapBackendOptions options;
    std::string expected;
  };
  const std::vector<Case> cases = {
      {Trusting(BySearch(slapd.url()), "other-ca.pem", true), "other-ca.pem"},
      {Trusting(BySearch(slapd.ldaps_url()), "other-ca.pem", false), "other-ca.pem"},
      {Trusting(BySearch(stray.url()), "ca.pem", true), "TLS: "},
      {Trusting(BySearch(stray.ldaps_url()), "ca.pem", false), "TLS: "},
      {Trusting(BySearch(slapd.url()), "missing.pem", true), "missing.pem cannot be read"},
  };
  for (const Case& c : cases) {
    Start(c.options);
    const std::string words = Decide("alice", "s3cret");
    EXPECT_THAT(words, StartsWith("UNAVAILABLE"));
    EXPECT_THAT(words, HasSubstr(c.expected));
  }
  EXPECT_EQ(slapd.Binds(Slapd::kReader) + stray.Binds(Slapd::kReader), 0);
  EXPECT_EQ(slapd.Binds(Dn("alice")) + stray.Binds(Dn("alice")), 0);

  // A certificate file without a certificate trusts nobody.
  WriteFile(folder_ / "empty.pem", "");
  Start(Trusting(BySearch(slapd.url()), "empty.pem", true));
  EXPECT_THAT(Decide("alice", "s3cret"), StartsWith("UNAVAILABLE"));
}

TEST_F(TlsTest, AServerWithoutTlsIsRefusedAndHearsNoPassword) {
  Slapd slapd({.people = People()});
  Start(Trusting(BySearch(slapd.url()), "ca.pem", true));
  EXPECT_THAT(Decide("alice", "s3cret"), HasSubstr("refused StartTLS"));
  EXPECT_EQ(slapd.Binds(Slapd::kReader), 0);
}

TEST_F(TlsTest, OldVersionsOfTlsAreRefused) {
  Slapd::Options options = With("server");
  options.settings = "TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.1\n";
  Slapd slapd(options);
  Start(Trusting(BySearch(slapd.url()), "ca.pem", true));
  EXPECT_THAT(Decide("alice", "s3cret"), HasSubstr("older than 1.2"));
  EXPECT_EQ(slapd.Binds(Slapd::kReader), 0);
}

TEST_F(TlsTest, ADirectoryThatDemandsTlsIsUnderstood) {
  Slapd::Options with_tls = With("server");
  with_tls.settings = "security simple_bind=128\n";
  Slapd slapd(with_tls);
  Start(Directly(slapd.url()));
  EXPECT_THAT(Decide("alice", "s3cret"), HasSubstr("only over TLS (ldaps:// or start_tls)"));
  Start(Trusting(Directly(slapd.url()), "ca.pem", true));
  EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
}

TEST_F(TlsTest, AFrozenServerIsUnavailableWithinTheTimeout) {
  Slapd slapd(With("server"));
  LdapBackendOptions options = Trusting(BySearch(slapd.ldaps_url()), "ca.pem", false);
  options.timeout = absl::Seconds(1);
  Start(options);
  slapd.Freeze();  // nothing is open yet: it stops in the handshake
  for (int i = 0; i < 2; ++i) {
    const auto [words, took] = Timed("s3cret");
    EXPECT_THAT(words, StartsWith("UNAVAILABLE"));
    EXPECT_LT(took, absl::Milliseconds(1300));
  }
  slapd.Thaw();
  EXPECT_EQ(Decide("alice", "s3cret"), "accepted");
}

}  // namespace
}  // namespace credcache
