#include "rpc/callers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/status.h"
#include "rpc/temporary_folder.h"

namespace credcache {
namespace {

using testing::HasSubstr;

class CallersTest : public testing::Test {
 protected:
  std::string TokenFile(const std::string& name, const std::string& content) { return folder_.Write(name, content); }
  static CallerConfig Config(const std::string& name) { return {.name = name, .audiences = {name}}; }
  static absl::StatusOr<std::shared_ptr<const Callers>> Load(std::vector<CallerConfig> callers) {
    return Callers::Load(std::move(callers));
  }
  // The name of who it is, or of why it is nobody.
  static std::string WhoIs(const Callers& callers, const CallerEvidence& evidence) {
    const absl::StatusOr<const Caller*> caller = callers.Identify(evidence);
    return caller.ok() ? (*caller)->name() : std::string(Name(ReasonOf(caller.status())));
  }

  TemporaryFolder folder_;
};

TEST_F(CallersTest, WithoutCallersAnyoneMayDoEverything) {
  const auto callers = *Callers::Load(std::nullopt);
  const Caller* anyone = *callers->Identify({});
  for (int i = 0; i < kPermissions; ++i) EXPECT_TRUE(anyone->MayDo(static_cast<Permission>(i)).ok());
  EXPECT_TRUE(anyone->MayUseRealm("corp.example").ok());
  EXPECT_TRUE(anyone->MayUseAllRealms().ok());
  EXPECT_TRUE(anyone->MayName("whatever").ok());
  EXPECT_EQ(anyone->MaxAge(absl::Seconds(1)), absl::Seconds(1));
}

TEST_F(CallersTest, NoCallersAtAllLetNobodyIn) { EXPECT_EQ(WhoIs(**Load({}), {}), "CALLER_UNKNOWN"); }

TEST_F(CallersTest, ATokenTellsWhoCallsOverTlsAndUnixSockets) {
  CallerConfig web = Config("web");
  web.token_file = TokenFile("web", "  0123456789abcdef-web\n");
  CallerConfig mail = Config("mail");
  mail.token_file = TokenFile("mail", "0123456789abcdef-mail");
  const auto callers = *Load({web, mail});
  EXPECT_TRUE(callers->has_tokens());
  for (const Transport transport : {Transport::kTls, Transport::kUnixSocket}) {
    EXPECT_EQ(WhoIs(*callers, {.transport = transport, .authorizations = {"Bearer 0123456789abcdef-web"}}), "web");
    EXPECT_EQ(WhoIs(*callers, {.transport = transport, .authorizations = {"bearer  0123456789abcdef-mail "}}), "mail");
    for (const char* wrong : {"Bearer 0123456789abcdef-we", "Bearer ", "Bearer", "Basic 0123456789abcdef-web", ""}) {
      EXPECT_EQ(WhoIs(*callers, {.transport = transport, .authorizations = {wrong}}), "CALLER_UNKNOWN") << wrong;
    }
    EXPECT_EQ(WhoIs(*callers, {.transport = transport,
                               .authorizations = {"Bearer 0123456789abcdef-web", "Bearer 0123456789abcdef-mail"}}),
              "CALLER_UNKNOWN");
  }
}

TEST_F(CallersTest, ATokenInTheClearIsRefused) {
  CallerConfig web = Config("web");
  web.token_file = TokenFile("web", "0123456789abcdef");
  EXPECT_EQ(WhoIs(**Load({web}), {.transport = Transport::kClearText, .authorizations = {"Bearer 0123456789abcdef"}}),
            "TOKEN_IN_THE_CLEAR");
}

TEST_F(CallersTest, ACertificatesNameTellsWhoCalls) {
  CallerConfig imap = Config("imap");
  imap.certificate = "spiffe://example.org/imap";
  const auto callers = *Load({imap});
  EXPECT_EQ(WhoIs(*callers, {.transport = Transport::kTls, .certificate_names = {"a.example", imap.certificate}}),
            "imap");
  EXPECT_EQ(WhoIs(*callers, {.transport = Transport::kTls, .certificate_names = {"a.example"}}), "CALLER_UNKNOWN");
}

TEST_F(CallersTest, AWrongTokenIsNotMadeUpForByACertificate) {
  CallerConfig imap = Config("imap");
  imap.certificate = "imap.example";
  EXPECT_EQ(WhoIs(**Load({imap}), {.transport = Transport::kTls,
                                   .certificate_names = {"imap.example"},
                                   .authorizations = {"Bearer 0123456789abcdef"}}),
            "CALLER_UNKNOWN");
}

TEST_F(CallersTest, ASocketStandsForItsCaller) {
  const auto callers = *Load({Config("imap")});
  EXPECT_EQ(WhoIs(*callers, {.transport = Transport::kUnixSocket, .socket_caller = "imap"}), "imap");
  EXPECT_EQ(WhoIs(*callers, {.transport = Transport::kUnixSocket, .socket_caller = "gone"}), "CALLER_UNKNOWN");
}

TEST_F(CallersTest, BadTokenFilesAreNamed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {" \n", "is empty"},
      {"short", "shorter than 16"},
      {std::string(5000, 'x'), "longer than 4096"},
      {"0123456789 abcdef", "header cannot carry"},
  };
  for (const auto& [content, problem] : cases) {
    CallerConfig web = Config("web");
    web.token_file = TokenFile("token", content);
    const absl::Status status = Load({web}).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr(problem));
    EXPECT_THAT(std::string(status.message()), HasSubstr(web.token_file));
  }
  CallerConfig missing = Config("web");
  missing.token_file = folder_.File("missing");
  EXPECT_THAT(std::string(Load({missing}).status().message()), HasSubstr("No such file"));
}

TEST_F(CallersTest, TwoCallersCannotShareAToken) {
  CallerConfig web = Config("web");
  web.token_file = TokenFile("web", "0123456789abcdef");
  CallerConfig mail = Config("mail");
  mail.token_file = TokenFile("mail", "0123456789abcdef\n");
  EXPECT_THAT(std::string(Load({web, mail}).status().message()), HasSubstr("also that of caller web"));
}

TEST_F(CallersTest, WhatACallerMayDoIsItsOwn) {
  CallerConfig config = Config("imap");
  config.allow = {Permission::kAuthenticate};
  config.realms = {"corp.example"};
  config.audiences = {"imap.corp.example"};
  config.max_age = absl::Minutes(15);
  const Caller caller(config);
  EXPECT_TRUE(caller.MayDo(Permission::kAuthenticate).ok());
  EXPECT_EQ(ReasonOf(caller.MayDo(Permission::kStats)), ErrorReason::kMethodNotAllowed);
  EXPECT_TRUE(caller.MayUseRealm("corp.example").ok());
  EXPECT_EQ(ReasonOf(caller.MayUseRealm("other.example")), ErrorReason::kRealmNotAllowed);
  EXPECT_EQ(ReasonOf(caller.MayUseAllRealms()), ErrorReason::kRealmNotAllowed);
  EXPECT_TRUE(caller.MayName("").ok());
  EXPECT_TRUE(caller.MayName("imap.corp.example").ok());
  EXPECT_EQ(ReasonOf(caller.MayName("web")), ErrorReason::kAudienceNotAllowed);
  EXPECT_EQ(caller.MaxAge(std::nullopt), absl::Minutes(15));
  EXPECT_EQ(caller.MaxAge(absl::Minutes(1)), absl::Minutes(1));
  EXPECT_EQ(caller.MaxAge(absl::Hours(1)), absl::Minutes(15));
}

}  // namespace
}  // namespace credcache
