// Each command against a service inside the test.
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "cli/authenticate_command.h"
#include "cli/execute.h"
#include "cli/fake_server.h"
#include "cli/invalidate_command.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace credcache::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class CommandTest : public testing::Test {
 protected:
  Result ExecuteAt(std::vector<std::string> arguments, absl::string_view input = "") {
    arguments.insert(arguments.begin(), {"--address", server_.address()});
    return Execute(arguments, input);
  }

  FakeService& service() { return server_.service(); }

  FakeServer server_;
};

v1::AuthenticateResponse Accepted() {
  v1::AuthenticateResponse response;
  response.set_outcome(v1::OUTCOME_ACCEPTED);
  response.set_source(v1::SOURCE_CACHE);
  auto& identity = *response.mutable_identity();
  identity.set_subject("corp.example/alice");
  identity.set_realm("corp.example");
  identity.set_username("alice");
  identity.add_groups("staff");
  identity.add_groups("wheel");
  (*identity.mutable_attributes())["mail"] = "alice@corp.example";
  response.mutable_validated_at()->set_seconds(1000);
  response.mutable_expires_at()->set_seconds(8200);
  return response;
}

google::rpc::Status ParseError(const std::string& json) {
  google::rpc::Status status;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &status).ok()) << json;
  return status;
}

TEST_F(CommandTest, AuthenticateSendsWhatItWasGiven) {
  service().Answer(Accepted());
  const Result result = ExecuteAt({"authenticate", "alice", "--realm", "corp.example", "--protocol", "imap",
                                   "--client-address", "192.0.2.7", "--max-age", "1500ms"},
                                  "s3cret\n");
  EXPECT_EQ(result.code, 0) << result.err;
  const v1::AuthenticateRequest request = service().authenticate_request();
  EXPECT_EQ(request.password().username(), "alice");
  EXPECT_EQ(request.password().realm(), "corp.example");
  EXPECT_EQ(request.password().password(), "s3cret");
  EXPECT_EQ(request.context().protocol(), "imap");
  EXPECT_EQ(request.context().client_address(), "192.0.2.7");
  EXPECT_EQ(request.max_age().seconds(), 1);
  EXPECT_EQ(request.max_age().nanos(), 500'000'000);
}

TEST_F(CommandTest, AuthenticateLeavesMaxAgeUnsetUnlessGiven) {
  service().Answer(Accepted());
  ExecuteAt({"authenticate", "alice"}, "s3cret");
  EXPECT_FALSE(service().authenticate_request().has_max_age());
  ExecuteAt({"authenticate", "alice", "--max-age", "0"}, "s3cret");
  EXPECT_TRUE(service().authenticate_request().has_max_age());
}

TEST_F(CommandTest, AuthenticateReadsAPasswordFile) {
  const std::string path = testing::TempDir() + "/alice.secret";
  std::ofstream(path) << "from file\n";
  service().Answer(Accepted());
  EXPECT_EQ(ExecuteAt({"authenticate", "alice", "--password-file", path}).code, 0);
  EXPECT_EQ(service().authenticate_request().password().password(), "from file");
}

TEST_F(CommandTest, AuthenticateTellsWhoAndHow) {
  service().Answer(Accepted());
  const Result result = ExecuteAt({"authenticate", "alice"}, "s3cret");
  EXPECT_THAT(result.out, StartsWith("ACCEPTED\n  source"));
  for (const char* part : {"CACHE", "time", "alice in corp.example", "corp.example/alice", "staff, wheel",
                           "alice@corp.example", "1970-01-01 00:16:40 UTC"}) {
    EXPECT_THAT(result.out, HasSubstr(part));
  }
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("s3cret")));
}

TEST_F(CommandTest, AuthenticateJsonIsTheResponse) {
  service().Answer(Accepted());
  const Result result = ExecuteAt({"--json", "authenticate", "alice"}, "s3cret");
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out,
            R"({"outcome":"OUTCOME_ACCEPTED","source":"SOURCE_CACHE","identity":{"subject":"corp.example/alice",)"
            R"("realm":"corp.example","username":"alice","groups":["staff","wheel"],)"
            R"("attributes":{"mail":"alice@corp.example"}},"validatedAt":"1970-01-01T00:16:40Z",)"
            R"("expiresAt":"1970-01-01T02:16:40Z"})"
            "\n");
}

TEST_F(CommandTest, EachOutcomeHasItsWordsAndExitCode) {
  v1::AuthenticateResponse response;
  response.set_source(v1::SOURCE_BACKEND);
  response.set_outcome(v1::OUTCOME_REJECTED);
  service().Answer(response);
  Result result = ExecuteAt({"authenticate", "alice"}, "wrong");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, StartsWith("REJECTED: unknown user or wrong password\n"));
  EXPECT_EQ(result.err, "");

  response.set_outcome(v1::OUTCOME_THROTTLED);
  response.mutable_retry_after()->set_seconds(90);
  service().Answer(response);
  result = ExecuteAt({"authenticate", "alice"}, "wrong");
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.out, HasSubstr("in 1m30s"));

  response.set_outcome(v1::OUTCOME_ACCOUNT_DISABLED);
  service().Answer(response);
  EXPECT_EQ(ExecuteAt({"authenticate", "alice"}, "right").code, 3);
  response.set_outcome(v1::OUTCOME_PASSWORD_EXPIRED);
  service().Answer(response);
  EXPECT_EQ(ExecuteAt({"authenticate", "alice"}, "right").code, 3);
}

TEST_F(CommandTest, ErrorsSayWhatAndWhy) {
  google::rpc::ErrorInfo info;
  info.set_reason("CALLER_NOT_ALLOWED");
  info.set_domain("credcache");
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  service().Fail({grpc::StatusCode::PERMISSION_DENIED, "imap-front may not do this", details.SerializeAsString()});
  Result result = ExecuteAt({"stats"});
  EXPECT_EQ(result.code, 4);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            "credcachectl: PERMISSION_DENIED: imap-front may not do this\n  reason: CALLER_NOT_ALLOWED (credcache)\n");

  result = ExecuteAt({"--json", "stats"});
  EXPECT_EQ(ParseError(result.err).code(), 7);
  EXPECT_EQ(ParseError(result.err).details_size(), 1);
}

TEST_F(CommandTest, ARequestThatTheServiceCallsInvalidIsUsage) {
  service().Fail({grpc::StatusCode::INVALID_ARGUMENT, "bad"});
  EXPECT_EQ(ExecuteAt({"authenticate", "alice"}, "x").code, 2);
}

TEST_F(CommandTest, AServerThatIsNotThereIsSaidAtOnce) {
  server_.Stop();
  const absl::Time begin = absl::Now();
  const Result result = ExecuteAt({"authenticate", "alice"}, "x");
  EXPECT_LT(absl::Now() - begin, absl::Seconds(9));
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr(absl::StrCat("nothing listens at ", server_.address())));
}

TEST_F(CommandTest, InvalidateNamesItsTarget) {
  v1::InvalidateResponse response;
  response.set_entries_removed(3);
  response.set_revision(17);
  auto& replica = *response.add_acknowledgements();
  replica.set_replica("mail-1");
  replica.set_state(v1::ReplicaAcknowledgement::STATE_ACKNOWLEDGED);
  service().Answer(response);
  const Result result = ExecuteAt({"invalidate", "--user", "alice", "--realm", "corp.example", "--reason", "left"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "done: 3 entries forgotten, revision 17\n  mail-1  has forgotten\n");
  EXPECT_EQ(service().invalidate_request().user().username(), "alice");
  EXPECT_EQ(service().invalidate_request().user().realm(), "corp.example");
  EXPECT_EQ(service().invalidate_request().reason(), "left");

  EXPECT_EQ(ExecuteAt({"invalidate", "--realm", "corp.example"}).code, 0);
  EXPECT_EQ(service().invalidate_request().realm(), "corp.example");
  EXPECT_EQ(ExecuteAt({"invalidate", "--all", "--json"}).code, 0);
  EXPECT_TRUE(service().invalidate_request().all());
  EXPECT_EQ(ExecuteAt({"invalidate", "--session", "token"}).code, 0);
  EXPECT_EQ(service().invalidate_request().session_token(), "token");
  EXPECT_EQ(ExecuteAt({"invalidate", "--session", "-"}, "token from input\n").code, 0);
  EXPECT_EQ(service().invalidate_request().session_token(), "token from input");
}

TEST(InvalidateTest, TakesExactlyOneTarget) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"invalidate"},
           {"invalidate", "--all", "--user", "a"},
           {"invalidate", "--all", "--realm", "r"},
           {"invalidate", "--session", "t", "--realm", "r"},
           {"invalidate", "--user", ""},
       }) {
    const Result result = Execute(arguments);
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("Exactly one of"));
  }
}

TEST_F(CommandTest, StatsAsksForWhatItShows) {
  EXPECT_EQ(ExecuteAt({"stats"}).code, 0);
  EXPECT_FALSE(service().stats_request().per_realm());
  EXPECT_FALSE(service().stats_request().per_bucket());
  const Result result = ExecuteAt({"stats", "--per-realm", "--per-bucket"});
  EXPECT_TRUE(service().stats_request().per_realm());
  EXPECT_TRUE(service().stats_request().per_bucket());
  EXPECT_THAT(result.out, HasSubstr("hits"));
}

TEST_F(CommandTest, StatsJsonIsTheResponse) {
  const Result result = ExecuteAt({"stats", "--json"});
  v1::StatsResponse response;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(result.out, &response).ok()) << result.out;
  EXPECT_EQ(response.cache().hits(), 10U);
  EXPECT_THAT(result.out, HasSubstr("\"negativeHits\":\"0\""));
}

TEST_F(CommandTest, HealthAsksGrpcsOwnService) {
  Result result = ExecuteAt({"health"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "SERVING\n");
  server_.server().GetHealthCheckService()->SetServingStatus("credcache.v1.AuthService", false);
  result = ExecuteAt({"--json", "health", "credcache.v1.AuthService"});
  EXPECT_EQ(result.code, 4);
  EXPECT_EQ(result.out, "{\"status\":\"NOT_SERVING\"}\n");
  result = ExecuteAt({"health", "no.such.Service"});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("knows no service \"no.such.Service\""));
}

TEST(HashTest, WritesAHashOrAWholeLine) {
  Result result = Execute({"hash", "--kind", "argon2id"}, "s3cret\n");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("$argon2id$"));
  result = Execute({"hash", "--user", "alice"}, "s3cret\n");
  EXPECT_THAT(result.out, StartsWith("alice:$y$"));
  result = Execute({"hash", "--user", "a:b"}, "s3cret\n");
  EXPECT_EQ(result.code, 2);
  result = Execute({"hash", "--user", ""}, "s3cret\n");
  EXPECT_EQ(result.code, 2);
  result = Execute({"hash"}, "");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("empty"));
}

TEST(HashTest, NeedsNoServer) { EXPECT_EQ(Execute({"--address", "127.0.0.1:1", "hash"}, "s3cret").code, 0); }

TEST(UsageTest, MistakesAreExitCode2AndPointToTheHelp) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"frobnicate"},
           {"authenticate"},
           {"stats", "--interval", "1ms"},
           {"stats", "--interval", "soon"},
           {"hash", "--kind", "md5"},
           {"--timeout", "0", "stats"},
       }) {
    const Result result = Execute(arguments);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr("--help"));
  }
}

TEST(UsageTest, WithJsonMistakesAreJson) {
  const Result result = Execute({"stats", "--interval", "soon", "--json"});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(ParseError(result.err).code(), 3);
}

TEST(UsageTest, APasswordTypedAsAnArgumentIsNotRepeated) {
  const Result result = Execute({"authenticate", "alice", "hunter2"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, Not(HasSubstr("hunter2")));
  EXPECT_THAT(result.err, HasSubstr("never taken from the command line"));
}

TEST(UsageTest, NamesThatAreNotUtf8AreRefusedHere) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"authenticate", "al\xffice"},
           {"authenticate", "alice", "--realm", "\xc3"},
           {"invalidate", "--user", "\xff"},
       }) {
    const Result result = Execute(arguments);
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("is not UTF-8"));
  }
}

TEST(UsageTest, HelpHasExamples) {
  for (const char* command : {"authenticate", "invalidate", "stats", "health", "hash"}) {
    const Result result = Execute({command, "--help"});
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, HasSubstr(absl::StrCat("credcachectl ", command)));
    EXPECT_THAT(result.out, HasSubstr("Examples:"));
  }
  EXPECT_THAT(Execute({"--version"}).out, StartsWith("credcachectl "));
}

TEST(UsageTest, TheEnvironmentNamesTheAddress) {
  FakeServer server;
  setenv("CREDCACHE_ADDRESS", server.address().c_str(), 1);
  EXPECT_EQ(Execute({"health"}).code, 0);
  EXPECT_EQ(Execute({"--address", "127.0.0.1:1", "health"}).code, 4);
  unsetenv("CREDCACHE_ADDRESS");
}

TEST(UnixSocketTest, CarriesCallsAndTokens) {
  const std::string socket = absl::StrCat("unix:", testing::TempDir(), "/ctl-", getpid(), ".sock");
  FakeServer server(grpc::InsecureServerCredentials(), socket);
  server.service().Answer(Accepted());
  const std::string token = testing::TempDir() + "/token";
  std::ofstream(token) << "t0ken\n";
  const Result result = Execute({"--address", socket, "--token-file", token, "authenticate", "alice"}, "x");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(server.service().token(), "Bearer t0ken");
}

}  // namespace
}  // namespace credcache::cli
