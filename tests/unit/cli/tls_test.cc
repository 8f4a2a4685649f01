// TLS that works, and each way in which it does not, in words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "cli/certificates.h"
#include "cli/execute.h"
#include "cli/fake_server.h"

namespace credcache::cli {
namespace {

using ::testing::HasSubstr;

class TlsTest : public testing::Test {
 protected:
  TlsTest()
      : folder_(absl::StrCat(testing::TempDir(), "/tls-", getpid())),
        authority_("authority", "", nullptr),
        other_authority_("another authority", "", nullptr) {
    std::filesystem::create_directory(folder_);
    authority_.Write(File("ca"));
    other_authority_.Write(File("other-ca"));
    TestCertificate("client", "127.0.0.1", &authority_).Write(File("client"));
    TestCertificate("stranger", "127.0.0.1", &other_authority_).Write(File("stranger"));
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const std::string& address,
                                                             bool clients_too = false) const {
    const Pem pem = TestCertificate("server", address, &authority_).pem();
    grpc::SslServerCredentialsOptions options(clients_too ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                                          : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    options.pem_key_cert_pairs.push_back({pem.key, pem.certificate});
    options.pem_root_certs = authority_.pem().certificate;
    return grpc::SslServerCredentials(options);
  }

  std::vector<std::string> As(const std::string& who) const {
    return {"--certificate", File(who + ".pem"), "--key", File(who + ".key")};
  }

  static Result Health(const FakeServer& server, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"--address", server.address(), "--timeout", "10s", "health"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Execute(arguments);
  }

  std::string folder_;
  TestCertificate authority_;
  TestCertificate other_authority_;
};

TEST_F(TlsTest, AServerOfATrustedAuthorityIsSpokenTo) {
  const FakeServer server(ServerCredentials("127.0.0.1"));
  const Result result = Health(server, {"--ca", File("ca.pem")});
  EXPECT_EQ(result.code, 0) << result.err;
}

TEST_F(TlsTest, OurCertificateAndTokenAreShown) {
  FakeServer server(ServerCredentials("127.0.0.1", /*clients_too=*/true));
  std::ofstream(File("token")) << "t0ken\n";
  std::vector<std::string> arguments = {"--address",    server.address(), "--ca",         File("ca.pem"),
                                        "--token-file", File("token"),    "authenticate", "alice"};
  for (const std::string& argument : As("client")) arguments.push_back(argument);
  const Result result = Execute(arguments, "x");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(server.service().token(), "Bearer t0ken");
}

TEST_F(TlsTest, AServerOfAnotherAuthority) {
  const FakeServer server(ServerCredentials("127.0.0.1"));
  const Result result = Health(server, {"--ca", File("other-ca.pem")});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("does not come from an authority that is trusted here"));
}

TEST_F(TlsTest, AServerOfAnotherName) {
  const FakeServer server(ServerCredentials("192.0.2.1"));
  const Result result = Health(server, {"--ca", File("ca.pem")});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("for another name than this address"));
}

TEST_F(TlsTest, AServerWithoutTls) {
  const FakeServer server;
  const Result result = Health(server, {"--ca", File("ca.pem")});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("speaks no TLS"));
}

TEST_F(TlsTest, AServerWithTlsSpokenToInPlain) {
  const FakeServer server(ServerCredentials("127.0.0.1"));
  const Result result = Health(server, {});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("TLS (--ca)"));
}

TEST_F(TlsTest, AServerThatWantsOurCertificate) {
  const FakeServer server(ServerCredentials("127.0.0.1", /*clients_too=*/true));
  const Result result = Health(server, {"--ca", File("ca.pem")});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("certificate of ours"));
}

TEST_F(TlsTest, AServerThatDoesNotTrustOurCertificate) {
  const FakeServer server(ServerCredentials("127.0.0.1", /*clients_too=*/true));
  std::vector<std::string> arguments = As("stranger");
  arguments.insert(arguments.end(), {"--ca", File("ca.pem")});
  const Result result = Health(server, arguments);
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("trust the authority of our --certificate"));
}

TEST_F(TlsTest, BadFilesAreNamedBeforeAnythingIsSent) {
  const auto error = [](const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"health"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Result result = Execute(all);
    EXPECT_EQ(result.code, 2);
    return result.err;
  };
  EXPECT_THAT(error({"--ca", File("ca.key")}), HasSubstr("ca.key: holds no certificate"));
  EXPECT_THAT(error({"--ca", folder_}), HasSubstr("Is a directory"));
  EXPECT_THAT(error({"--certificate", File("client.pem"), "--key", File("client.pem")}), HasSubstr("no private key"));
  EXPECT_THAT(error({"--certificate", File("client.pem"), "--key", File("stranger.key")}),
              HasSubstr("is not the key of the certificate"));
  std::ofstream(File("empty")) << "";
  EXPECT_THAT(error({"--ca", File("ca.pem"), "--token-file", File("empty")}), HasSubstr("is empty"));
  std::ofstream(File("two-lines")) << "a\nb\n";
  EXPECT_THAT(error({"--ca", File("ca.pem"), "--token-file", File("two-lines")}), HasSubstr("one line"));
}

}  // namespace
}  // namespace credcache::cli
