#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "absl/time/clock.h"
#include "grpcpp/generic/generic_stub.h"
#include "rpc/rpc_fixture.h"

namespace credcache {
namespace {

using testing::HasSubstr;

class AuthenticateTest : public testing::Test {
 protected:
  void SetUp() override { f_.Start(); }
  void ExpectInvalid(const v1::AuthenticateRequest& request, const std::string& field) {
    const grpc::Status status = f_.Authenticate(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
    EXPECT_EQ(PartsOf(status).field, field);
    EXPECT_EQ(PartsOf(status).reason, "INVALID_FIELD");
    EXPECT_EQ(f_.validator->validations(), 0);
  }
  v1::Outcome OutcomeFor(const std::string& username, const std::string& password) {
    v1::AuthenticateResponse response;
    const grpc::Status status = f_.Authenticate(LogOnOf(username, password), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.outcome();
  }

  RpcFixture f_;
};

TEST_F(AuthenticateTest, AcceptedTellsWhoItIs) {
  f_.validator->SetIdentity(
      Identity("alice", "uuid-1",
               Shared<IdentityDetails>({.groups = {"staff", "mail"}, .attributes = {{"mail", "alice@corp.example"}}})));
  v1::AuthenticateResponse response;
  ASSERT_TRUE(f_.Authenticate(LogOnOf("Alice", "s3cret"), &response).ok());
  EXPECT_EQ(response.outcome(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(response.source(), v1::SOURCE_BACKEND);
  EXPECT_EQ(response.identity().subject(), "uuid-1");
  EXPECT_EQ(response.identity().realm(), "corp.example");
  EXPECT_EQ(response.identity().username(), "alice");
  EXPECT_THAT(response.identity().groups(), testing::ElementsAre("staff", "mail"));
  EXPECT_EQ(response.identity().attributes().at("mail"), "alice@corp.example");
  EXPECT_EQ(response.validated_at().seconds(), 1'800'000'000);
  EXPECT_EQ(response.expires_at().seconds(), 1'800'007'200);
}

TEST_F(AuthenticateTest, UnknownLockedAndWrongLookTheSame) {
  v1::AuthenticateResponse wrong;
  ASSERT_TRUE(f_.Authenticate(LogOnOf("alice", "guess"), &wrong).ok());
  for (const char* user : {"nobody", "locked"}) {
    v1::AuthenticateResponse other;
    ASSERT_TRUE(f_.Authenticate(LogOnOf(user, "s3cret"), &other).ok());
    EXPECT_EQ(other.SerializeAsString(), wrong.SerializeAsString()) << user;
  }
  EXPECT_EQ(wrong.outcome(), v1::OUTCOME_REJECTED);
  EXPECT_FALSE(wrong.has_identity());
}

TEST_F(AuthenticateTest, DisabledAndExpiredAreTold) {
  EXPECT_EQ(OutcomeFor("disabled", "s3cret"), v1::OUTCOME_ACCOUNT_DISABLED);
  EXPECT_EQ(OutcomeFor("expired", "s3cret"), v1::OUTCOME_PASSWORD_EXPIRED);
}

TEST_F(AuthenticateTest, RealmComesFromTheFieldOrTheName) {
  EXPECT_EQ(OutcomeFor("alice@other.example", "s3cret"), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(OutcomeFor("CORP\\alice", "s3cret"), v1::OUTCOME_ACCEPTED);
  v1::AuthenticateRequest request = LogOnOf("alice", "s3cret");
  request.mutable_password()->set_realm("other.example");
  v1::AuthenticateResponse response;
  ASSERT_TRUE(f_.Authenticate(request, &response).ok());
  EXPECT_EQ(response.identity().realm(), "other.example");
}

TEST_F(AuthenticateTest, AnUnknownRealmIsRejectedLikeAnUnknownUser) {
  v1::AuthenticateRequest request = LogOnOf("alice", "s3cret");
  request.mutable_password()->set_realm("nowhere.example");
  v1::AuthenticateResponse response;
  ASSERT_TRUE(f_.Authenticate(request, &response).ok());
  EXPECT_EQ(response.outcome(), v1::OUTCOME_REJECTED);
  EXPECT_EQ(f_.validator->validations(), 0);
}

TEST_F(AuthenticateTest, AnEmptyPasswordIsRejectedAndReachesNoBackend) {
  EXPECT_EQ(OutcomeFor("alice", ""), v1::OUTCOME_REJECTED);
  EXPECT_EQ(f_.validator->validations(), 0);
}

TEST_F(AuthenticateTest, PasswordsAreBytesUpToTheLimit) {
  EXPECT_EQ(OutcomeFor("alice", std::string(1024, 'x')), v1::OUTCOME_REJECTED);
  EXPECT_EQ(OutcomeFor("alice", std::string("s3cret\0", 7)), v1::OUTCOME_REJECTED);
  EXPECT_EQ(OutcomeFor("alice", "\xff\xfe\x80"), v1::OUTCOME_REJECTED);
  EXPECT_EQ(f_.validator->validations(), 3);
}

TEST_F(AuthenticateTest, TooLongAPasswordIsInvalid) {
  ExpectInvalid(LogOnOf("alice", std::string(1025, 'x')), "password.password");
}

TEST_F(AuthenticateTest, BadNamesAreInvalid) {
  for (const std::string& name :
       {std::string(), std::string(257, 'a'), std::string(10'240, 'a'), std::string("al\0ice", 6),
        std::string("al\tice"), std::string(" alice"), std::string("alice ")}) {
    ExpectInvalid(LogOnOf(name, "s3cret"), "password.username");
  }
}

TEST_F(AuthenticateTest, AnLdapFilterIsJustAName) { EXPECT_EQ(OutcomeFor("*)(uid=*", "s3cret"), v1::OUTCOME_REJECTED); }

TEST_F(AuthenticateTest, CaseAndUnicodeFormsAreOneUser) {
  EXPECT_EQ(OutcomeFor("ALICE", "s3cret"), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(OutcomeFor("\xef\xbd\x81lice", "s3cret"), v1::OUTCOME_REJECTED);  // full-width a: NFC keeps it
}

TEST_F(AuthenticateTest, ANameThatIsNotUtf8NamesItsField) {
  ExpectInvalid(LogOnOf("al\xff\xfeice", "s3cret"), "password.username");
  v1::AuthenticateRequest request = LogOnOf("alice", "s3cret");
  request.mutable_context()->set_request_id("\xc3(");
  ExpectInvalid(request, "context.request_id");
}

TEST_F(AuthenticateTest, BadFieldsAreNamed) {
  v1::AuthenticateRequest request;
  ExpectInvalid(request, "credential");

  request = LogOnOf("alice", "s3cret");
  request.mutable_password()->set_realm(std::string(257, 'r'));
  ExpectInvalid(request, "password.realm");

  request = LogOnOf("alice", "s3cret");
  request.mutable_max_age()->set_seconds(-1);
  ExpectInvalid(request, "max_age");

  request = LogOnOf("alice", "s3cret");
  request.mutable_context()->set_request_id(std::string(129, 'i'));
  ExpectInvalid(request, "context.request_id");
  request.mutable_context()->set_request_id("line\nbreak");
  ExpectInvalid(request, "context.request_id");

  request = LogOnOf("alice", "s3cret");
  for (const char* address : {"mail.example", "192.0.2.300", "192.0.2.1:25", "::g", "192.0.2.1%eth0", " 192.0.2.1"}) {
    request.mutable_context()->set_client_address(address);
    ExpectInvalid(request, "context.client_address");
  }
}

TEST_F(AuthenticateTest, AddressesOfBothKindsAreTaken) {
  v1::AuthenticateRequest request = LogOnOf("alice", "s3cret");
  for (const char* address : {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%eth0"}) {
    request.mutable_context()->set_client_address(address);
    EXPECT_TRUE(f_.Authenticate(request).ok()) << address;
  }
}

TEST_F(AuthenticateTest, WhatIsNotBuiltYetSaysSo) {
  v1::AuthenticateRequest request = LogOnOf("alice", "s3cret");
  request.set_open_session(true);
  EXPECT_EQ(f_.Authenticate(request).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  request.set_session_token("token");
  const grpc::Status status = f_.Authenticate(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(PartsOf(status).reason, "NOT_IMPLEMENTED");

  grpc::ClientContext context;
  v1::DelegateResponse delegated;
  EXPECT_EQ(PartsOf(f_.stub->Delegate(&context, {}, &delegated)).reason, "NOT_IMPLEMENTED");
  grpc::ClientContext stream_context;
  EXPECT_EQ(PartsOf(f_.stub->Negotiate(&stream_context)->Finish()).reason, "NOT_IMPLEMENTED");
}

TEST_F(AuthenticateTest, MaxAgeIsHandedOn) {
  v1::AuthenticateRequest request = LogOnOf("alice", "s3cret");
  ASSERT_TRUE(f_.Authenticate(request).ok());
  EXPECT_EQ(f_.validator->last_max_age(), std::nullopt);
  request.mutable_max_age()->set_nanos(500'000'000);
  ASSERT_TRUE(f_.Authenticate(request).ok());
  EXPECT_EQ(f_.validator->last_max_age(), absl::Milliseconds(500));
}

TEST_F(AuthenticateTest, ABackendThatIsDownIsUnavailableInOurWords) {
  f_.validator->Fail(absl::UnavailableError("ldap://10.0.0.1: cn=alice timed out"));
  const grpc::Status status = f_.Authenticate(LogOnOf("alice", "s3cret"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(PartsOf(status).reason, "BACKEND_UNAVAILABLE");
  EXPECT_EQ(status.error_message().find("alice"), std::string::npos);
  f_.validator->Fail(absl::ResourceExhaustedError("queue full"));
  EXPECT_TRUE(PartsOf(f_.Authenticate(LogOnOf("alice", "s3cret"))).retry_after.has_value());
}

TEST_F(AuthenticateTest, AnAnswerMayComeLater) {
  f_.validator->Hold();
  auto call = std::async(std::launch::async, [&] { return OutcomeFor("alice", "s3cret"); });
  f_.validator->WaitForHeld(1);
  EXPECT_EQ(f_.in_flight.count(), 1);
  f_.validator->Release();
  EXPECT_EQ(call.get(), v1::OUTCOME_ACCEPTED);
}

TEST_F(AuthenticateTest, TheDeadlineEndsTheCallAndNotTheValidation) {
  f_.validator->Hold();
  grpc::ClientContext context;
  f_.SetDeadline(context, absl::Milliseconds(100));
  v1::AuthenticateResponse response;
  EXPECT_EQ(f_.stub->Authenticate(&context, LogOnOf("alice", "s3cret"), &response).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  while (f_.in_flight.count() > 0) std::this_thread::yield();
  f_.validator->Release();  // the answer finds nobody, and nothing breaks
  EXPECT_EQ(OutcomeFor("alice", "s3cret"), v1::OUTCOME_ACCEPTED);
}

TEST_F(AuthenticateTest, AClientThatLeavesFreesItsCall) {
  f_.validator->Hold();
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  v1::AuthenticateResponse response;
  grpc::Status status;
  auto call = f_.stub->AsyncAuthenticate(&context, LogOnOf("alice", "s3cret"), &queue);
  call->Finish(&response, &status, nullptr);
  f_.validator->WaitForHeld(1);
  context.TryCancel();
  while (f_.in_flight.count() > 0) std::this_thread::yield();
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  f_.validator->Release();
}

TEST_F(AuthenticateTest, MoreThanTheLimitInFlightIsRefusedWithADelay) {
  f_.in_flight.SetLimit(1);
  f_.validator->Hold();
  auto call = std::async(std::launch::async, [&] { return OutcomeFor("alice", "s3cret"); });
  f_.validator->WaitForHeld(1);
  const grpc::Status status = f_.Authenticate(LogOnOf("alice", "s3cret"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(PartsOf(status).reason, "TOO_MANY_IN_FLIGHT");
  EXPECT_TRUE(PartsOf(status).retry_after.has_value());
  f_.validator->Release();
  EXPECT_EQ(call.get(), v1::OUTCOME_ACCEPTED);
  EXPECT_EQ(OutcomeFor("alice", "s3cret"), v1::OUTCOME_ACCEPTED);
}

TEST_F(AuthenticateTest, BytesThatAreNoMessageAreInvalid) {
  grpc::GenericStub stub(f_.channel);
  grpc::ClientContext context;
  f_.SetDeadline(context);
  grpc::CompletionQueue queue;
  const grpc::Slice garbage("\x0a\xff\xff\xff\xff\x0f nonsense");
  auto call =
      stub.PrepareUnaryCall(&context, "/credcache.v1.AuthService/Authenticate", grpc::ByteBuffer(&garbage, 1), &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(PartsOf(status).reason, "INVALID_MESSAGE");
}

TEST_F(AuthenticateTest, DecisionsAreCountedAndAudited) {
  v1::AuthenticateRequest request = LogOnOf("alice", "guess");
  request.mutable_context()->set_request_id("id-7");
  request.mutable_context()->set_client_address("192.0.2.7");
  ASSERT_TRUE(f_.Authenticate(request).ok());
  EXPECT_EQ(f_.metrics.ForRealm("corp.example").Authentications(Protocol::kImap, Outcome::kRejected, Source::kBackend),
            1);
  EXPECT_EQ(f_.metrics.ForMethod("credcache.v1.AuthService/Authenticate").Durations(absl::StatusCode::kOk).Total(), 1);
  ASSERT_FALSE(f_.Authenticate({}).ok());
  EXPECT_EQ(f_.metrics.ForMethod("credcache.v1.AuthService/Authenticate")
                .Durations(absl::StatusCode::kInvalidArgument)
                .Total(),
            1);
  f_.server.reset();
  f_.audit.reset();  // writes what waits
  ASSERT_EQ(f_.audit_lines.lines().size(), 1);
  const std::string line = f_.audit_lines.lines()[0];
  for (const char* part : {"alice", "corp.example", "id-7", "192.0.2.7", "imap", "wrong_password", "anyone"}) {
    EXPECT_THAT(line, HasSubstr(part));
  }
  EXPECT_THAT(line, testing::Not(HasSubstr("guess")));
}

}  // namespace
}  // namespace credcache
