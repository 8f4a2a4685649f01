#include "rpc/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/rpc_fixture.h"
#include "rpc/test_certificates.h"

namespace credcache {
namespace {

using testing::Contains;
using testing::HasSubstr;

class TlsTest : public testing::Test {
 protected:
  TlsTest() { WritePair(authority_.Issue("DNS:localhost")); }

  void WritePair(const TestCertificate& pair) {
    config_.certificate = folder_.Write("server.pem", pair.certificate);
    config_.private_key = folder_.Write("server.key", pair.private_key);
  }
  void Start(const std::optional<std::vector<CallerConfig>>& callers) {
    Config config{.tls = config_, .callers = callers};
    f_.SetCallers(callers);
    auto tls = ServerTls::Start(config_, ClientCertificatesFor(config), f_.reporter, absl::Hours(1));
    ASSERT_TRUE(tls.ok()) << tls.status();
    f_.tls = *std::move(tls);
    f_.Start();
  }
  // One call over a connection of its own.
  grpc::Status Call(const TestCertificate& client = {}, const std::string& token = "") {
    grpc::SslCredentialsOptions options{.pem_root_certs = authority_.root(),
                                        .pem_private_key = client.private_key,
                                        .pem_cert_chain = client.certificate};
    const auto stub =
        f_.Connect("localhost:" + std::to_string(f_.server->address().port), grpc::SslCredentials(options));
    grpc::ClientContext context;
    f_.SetDeadline(context);
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    v1::AuthenticateResponse response;
    return stub->Authenticate(&context, LogOnOf("alice", "s3cret"), &response);
  }
  void UseClientCa() { config_.client_ca = folder_.Write("ca.pem", authority_.root()); }
  static CallerConfig Imap() {
    return {.name = "imap",
            .certificate = "spiffe://example.org/imap",
            .allow = {Permission::kAuthenticate},
            .audiences = {"imap"}};
  }
  CallerConfig Web() {
    return {.name = "web",
            .token_file = folder_.Write("web.token", "0123456789abcdef-web"),
            .allow = {Permission::kAuthenticate},
            .audiences = {"web"}};
  }

  TestAuthority authority_;
  TemporaryFolder folder_;
  TlsConfig config_;
  RpcFixture f_;
};

TEST_F(TlsTest, ServesOverTls) {
  Start(std::nullopt);
  EXPECT_TRUE(Call().ok());
}

TEST_F(TlsTest, ClearTextIsNotSpokenThere) {
  Start(std::nullopt);
  EXPECT_EQ(f_.Authenticate(LogOnOf("alice", "s3cret")).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, AClientsCertificateTellsWhoCalls) {
  UseClientCa();
  Start({{Imap()}});
  EXPECT_TRUE(Call(authority_.Issue("URI:spiffe://example.org/imap")).ok());
  EXPECT_TRUE(Call(authority_.Issue("DNS:imap.example,URI:spiffe://example.org/imap")).ok());
  EXPECT_EQ(Call(authority_.Issue("URI:spiffe://example.org/other")).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Call().error_code(), grpc::StatusCode::UNAVAILABLE);  // the handshake asks for a certificate
  TestAuthority foreign;
  EXPECT_EQ(Call(foreign.Issue("URI:spiffe://example.org/imap")).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, TokensAndCertificatesLiveSideBySide) {
  UseClientCa();
  Start({{Imap(), Web()}});
  EXPECT_TRUE(Call(authority_.Issue("URI:spiffe://example.org/imap")).ok());
  EXPECT_TRUE(Call({}, "0123456789abcdef-web").ok());
  EXPECT_EQ(Call({}, "0123456789abcdef-wrong").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  const grpc::Status nobody = Call();
  EXPECT_EQ(nobody.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(PartsOf(nobody).reason, "CALLER_UNKNOWN");
  TestAuthority foreign;  // what is shown is verified, asked for or not
  EXPECT_EQ(Call(foreign.Issue("URI:spiffe://example.org/imap")).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, ATokenInTheClearIsRefused) {
  f_.SetCallers({{Web()}});
  f_.Start();
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer 0123456789abcdef-web");
  v1::AuthenticateResponse response;
  const grpc::Status status = f_.stub->Authenticate(&context, LogOnOf("alice", "s3cret"), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(PartsOf(status).reason, "TOKEN_IN_THE_CLEAR");
  EXPECT_EQ(f_.validator->validations(), 0);
}

TEST_F(TlsTest, ANewPairServesNewConnections) {
  Start(std::nullopt);
  ASSERT_TRUE(Call().ok());
  TestAuthority next;
  WritePair(next.Issue("DNS:localhost"));
  f_.tls->Check();
  EXPECT_EQ(Call().error_code(), grpc::StatusCode::UNAVAILABLE);  // clients of the old authority do not know it
  WritePair(authority_.Issue("DNS:localhost"));
  f_.tls->Check();
  EXPECT_TRUE(Call().ok());
}

TEST_F(TlsTest, ABrokenReplacementKeepsTheOldPairAndIsReported) {
  Start(std::nullopt);
  ASSERT_TRUE(Call().ok());
  f_.reporter.Take();
  folder_.Write("server.key", authority_.Issue("DNS:localhost").private_key);
  f_.tls->Check();
  EXPECT_THAT(f_.reporter.Take(), Contains(HasSubstr("is not the key of the certificate")));
  EXPECT_TRUE(Call().ok());
  f_.tls->Check();
  EXPECT_TRUE(f_.reporter.Take().empty());  // told once

  folder_.Write("server.pem", "half a file");
  f_.tls->Check();
  EXPECT_THAT(f_.reporter.Take(), Contains(HasSubstr("holds no valid PEM certificate")));
  EXPECT_TRUE(Call().ok());

  WritePair(authority_.Issue("DNS:localhost"));
  f_.tls->Check();
  EXPECT_THAT(f_.reporter.Take(), Contains(HasSubstr("are in use")));
  EXPECT_TRUE(Call().ok());
}

TEST_F(TlsTest, TheClientAuthorityRotatesToo) {
  UseClientCa();
  Start({{Imap()}});
  TestAuthority next;
  const TestCertificate client = next.Issue("URI:spiffe://example.org/imap");
  EXPECT_FALSE(Call(client).ok());
  folder_.Write("ca.pem", authority_.root() + next.root());
  f_.tls->Check();
  EXPECT_TRUE(Call(client).ok());
}

TEST_F(TlsTest, BadFilesAreNamed) {
  const auto problem = [](const TlsConfig& config) { return std::string(ReadTlsMaterial(config).status().message()); };
  TlsConfig bad = config_;
  bad.certificate = folder_.File("missing.pem");
  EXPECT_THAT(problem(bad), HasSubstr("missing.pem: No such file"));
  bad = config_;
  bad.private_key = folder_.Write("not.key", "not a key");
  EXPECT_THAT(problem(bad), HasSubstr("not.key: holds no valid PEM private key"));
  bad = config_;
  bad.client_ca = folder_.Write("not.ca", "");
  EXPECT_THAT(problem(bad), HasSubstr("not.ca: holds no valid PEM certificate"));
  bad = config_;
  bad.certificate = folder_.Write("mixed.pem", authority_.root() + "-----BEGIN CERTIFICATE-----\nMII\n");
  EXPECT_THAT(problem(bad), HasSubstr("mixed.pem"));
}

}  // namespace
}  // namespace credcache
