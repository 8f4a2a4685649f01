#include "backends/remote_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "backends/ask.h"
#include "backends/fake_plugin.h"
#include "backends/recording_reporter.h"
#include "base/limits.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

namespace v1 = validator::v1;

class RemoteBackendTest : public ::testing::Test {
 protected:
  // Answers every Validate with this.
  void Answer(const v1::ValidateResponse& response) {
    plugin_.on_validate = [response](const v1::ValidateRequest&, v1::ValidateResponse* out) {
      *out = response;
      return grpc::Status::OK;
    };
  }
  void Answer(v1::Decision decision) {
    v1::ValidateResponse response;
    response.set_decision(decision);
    Answer(response);
  }
  // Answers no Validate until the test is over.
  void Hang() {
    plugin_.on_validate = [this](const v1::ValidateRequest&, v1::ValidateResponse*) {
      released_.WaitForNotification();
      return grpc::Status::OK;
    };
  }

  RemoteBackend& Start(RemoteBackendOptions options = {}) {
    plugin_.Start();
    return Build(std::move(options));
  }
  RemoteBackend& Build(RemoteBackendOptions options = {}) {
    options.address = plugin_.address();
    options.realm = "corp.example";
    if (options.timeout == absl::Seconds(3)) options.timeout = absl::Seconds(20);
    backend_ = std::make_unique<RemoteBackend>(std::move(options), clock_, randomness_, reporter_);
    return *backend_;
  }

  absl::StatusOr<Verdict> Validate(absl::string_view password = "s3cret", const Account* account = nullptr,
                                   MonotonicTime deadline = MonotonicTime::InfiniteFuture()) {
    return AskAndWait(*backend_,
                      {.username = alice_, .password = SecretView(password), .account = account, .deadline = deadline});
  }
  absl::StatusOr<std::optional<Account>> Resolve() { return ResolveAndWait(*backend_, alice_); }

  const Username alice_ = *Username::Normalize("alice", CaseRule::kFold);
  SystemClock clock_;
  SystemRandomness randomness_;
  RecordingReporter reporter_;
  absl::Notification released_;
  FakePlugin plugin_;
  std::unique_ptr<RemoteBackend> backend_;
};

TEST_F(RemoteBackendTest, EachDecisionIsTold) {
  const std::vector<std::pair<v1::Decision, Decision>> decisions = {
      {v1::DECISION_ACCEPTED, Decision::kAccepted},
      {v1::DECISION_UNKNOWN_USER, Decision::kUnknownUser},
      {v1::DECISION_WRONG_PASSWORD, Decision::kWrongPassword},
      {v1::DECISION_LOCKED, Decision::kLocked},
      {v1::DECISION_ACCOUNT_DISABLED, Decision::kAccountDisabled},
      {v1::DECISION_PASSWORD_EXPIRED, Decision::kPasswordExpired}};
  v1::Decision next = v1::DECISION_UNSPECIFIED;
  plugin_.on_validate = [&](const v1::ValidateRequest&, v1::ValidateResponse* response) {
    response->set_decision(next);
    response->mutable_identity()->set_subject("id-7");
    return grpc::Status::OK;
  };
  Start();
  for (const auto& [told, decision] : decisions) {
    next = told;
    const auto verdict = Validate();
    ASSERT_TRUE(verdict.ok()) << verdict.status();
    EXPECT_EQ(verdict->decision, decision);
    EXPECT_EQ(verdict->identity.empty(), decision != Decision::kAccepted);
  }
  EXPECT_THAT(reporter_.Take(), IsEmpty());
}

TEST_F(RemoteBackendTest, AsksForTheAccountInItsRealm) {
  Answer(v1::DECISION_WRONG_PASSWORD);
  Start();
  const std::string password("p\0ss\xff", 5);
  EXPECT_TRUE(Validate(password).ok());
  const Account account = {.name = *Username::Normalize("canonical", CaseRule::kFold)};
  EXPECT_TRUE(Validate("s3cret", &account).ok());
  const auto asked = plugin_.validated();
  ASSERT_THAT(asked, SizeIs(2));
  EXPECT_EQ(asked[0].realm(), "corp.example");
  EXPECT_EQ(asked[0].username(), "alice");
  EXPECT_EQ(asked[0].password(), password);
  EXPECT_EQ(asked[1].username(), "canonical");
}

TEST_F(RemoteBackendTest, TheIdentityIsThePlugIns) {
  v1::ValidateResponse response;
  response.set_decision(v1::DECISION_ACCEPTED);
  response.mutable_identity()->set_subject("id-7");
  response.mutable_identity()->set_username("Alice.Smith");
  response.mutable_identity()->add_groups("staff");
  response.mutable_identity()->add_groups("admins");
  (*response.mutable_identity()->mutable_attributes())["mail"] = "a@example";
  (*response.mutable_identity()->mutable_attributes())["cn"] = "Alice";
  Answer(response);
  Start();
  const auto verdict = Validate();
  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_EQ(verdict->identity.subject(), "id-7");
  EXPECT_EQ(verdict->identity.username(), "alice.smith");
  EXPECT_THAT(verdict->identity.details().groups, ElementsAre("staff", "admins"));
  EXPECT_THAT(verdict->identity.details().attributes,
              ElementsAre(std::pair("cn", "Alice"), std::pair("mail", "a@example")));
}

TEST_F(RemoteBackendTest, WithoutAnIdentityTheNameStandsForItself) {
  Answer(v1::DECISION_ACCEPTED);
  Start();
  const auto verdict = Validate();
  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_EQ(verdict->identity.subject(), "corp.example/alice");
  EXPECT_EQ(verdict->identity.username(), "alice");
}

TEST_F(RemoteBackendTest, AnAnswerThatBreaksTheRulesLetsNobodyIn) {
  const auto accepted = [](auto change) {
    v1::ValidateResponse response;
    response.set_decision(v1::DECISION_ACCEPTED);
    change(response.mutable_identity());
    return response;
  };
  v1::ValidateResponse unknown_decision;
  unknown_decision.set_decision(static_cast<v1::Decision>(77));
  const std::vector<std::pair<v1::ValidateResponse, std::string>> broken = {
      {v1::ValidateResponse(), "has no decision (0)"},
      {unknown_decision, "has no decision (77)"},
      {accepted([](v1::Identity* identity) { identity->set_username("a\nb"); }), "has a username that is none"},
      {accepted([](v1::Identity* identity) { identity->set_username(std::string(257, 'a')); }), "that is none"},
      {accepted([](v1::Identity* identity) { identity->set_username("a\xff"); }), "is no ValidateResponse"},
      {accepted([](v1::Identity* identity) { identity->add_groups("\xc3\x28"); }), "is no ValidateResponse"},
      {accepted([](v1::Identity* identity) { identity->set_subject(std::string(kMaxSubjectSize + 1, 's')); }),
       "a subject of 1025 bytes"},
      {accepted([](v1::Identity* identity) {
         for (size_t i = 0; i <= kMaxGroups; ++i) identity->add_groups("g");
       }),
       "4097 groups"},
      {accepted([](v1::Identity* identity) {
         for (size_t i = 0; i <= kMaxAttributes; ++i) (*identity->mutable_attributes())[absl::StrCat(i)] = "v";
       }),
       "65 attributes"},
      {accepted([](v1::Identity* identity) { identity->add_groups(std::string(kMaxIdentitySize, 'g')); }),
       "an identity that is too large"},
  };
  v1::ValidateResponse next;
  plugin_.on_validate = [&](const v1::ValidateRequest&, v1::ValidateResponse* response) {
    *response = next;
    return grpc::Status::OK;
  };
  Start();
  for (const auto& [response, what] : broken) {
    next = response;
    EXPECT_TRUE(absl::IsUnavailable(Validate().status())) << what;
    EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr(what)));
  }
  // Larger than any message may be.
  next = accepted([](v1::Identity* identity) { identity->add_groups(std::string(2 << 20, 'g')); });
  EXPECT_TRUE(absl::IsUnavailable(Validate().status()));
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("Validate: RESOURCE_EXHAUSTED: ")));
  next = accepted([](v1::Identity*) {});
  EXPECT_TRUE(Validate().ok());
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("answers again")));
}

TEST_F(RemoteBackendTest, AnAnswerThatWouldGrowIsNotUnpacked) {
  v1::ValidateResponse response;
  response.set_decision(v1::DECISION_ACCEPTED);
  response.mutable_identity()->add_groups(std::string(64 << 20, 'g'));
  Answer(response);
  plugin_.compresses = true;
  Start();
  EXPECT_TRUE(absl::IsUnavailable(Validate().status()));
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("Compression algorithm 'gzip' is disabled")));
}

TEST_F(RemoteBackendTest, ErrorsAreNoVerdicts) {
  grpc::StatusCode next = grpc::StatusCode::OK;
  plugin_.on_validate = [&](const v1::ValidateRequest&, v1::ValidateResponse* response) {
    response->set_decision(v1::DECISION_ACCEPTED);
    return grpc::Status(next, "line\x01 one\nline two");
  };
  Start();
  for (int code = 1; code <= 16; ++code) {
    next = static_cast<grpc::StatusCode>(code);
    const auto verdict = Validate();
    EXPECT_TRUE(absl::IsUnavailable(verdict.status())) << code;
    EXPECT_THAT(std::string(verdict.status().message()), Not(HasSubstr("line")));
    EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("line\\x01 one\\nline two")));
  }
}

TEST_F(RemoteBackendTest, AnErrorThatRepeatsThePasswordIsNotRepeated) {
  plugin_.on_validate = [&](const v1::ValidateRequest& request, v1::ValidateResponse*) {
    return grpc::Status(grpc::StatusCode::INTERNAL, absl::StrCat("no such password: ", request.password()));
  };
  Start();
  EXPECT_TRUE(absl::IsUnavailable(Validate("hunter2-hunter2").status()));
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("Validate: INTERNAL (its text is left out")));
}

TEST_F(RemoteBackendTest, AnEmptyPasswordIsNeverSent) {
  Answer(v1::DECISION_ACCEPTED);
  Start();
  EXPECT_EQ(Validate("")->decision, Decision::kWrongPassword);
  EXPECT_THAT(plugin_.validated(), IsEmpty());
}

TEST_F(RemoteBackendTest, APlugInThatIsNotThereIsAskedAgain) {
  Answer(v1::DECISION_ACCEPTED);
  Build();
  EXPECT_TRUE(absl::IsUnavailable(Validate().status()));
  EXPECT_THAT(reporter_.Take(), ElementsAre(StartsWith("remote_error unix:/")));
  plugin_.Start();
  while (!Validate().ok()) {
  }
  plugin_.Stop();
  EXPECT_TRUE(absl::IsUnavailable(Validate().status()));
  plugin_.Start();
  while (!Validate().ok()) {
  }
}

TEST_F(RemoteBackendTest, APlugInThatHangsIsUnavailableInTime) {
  Hang();
  Start({.timeout = absl::Milliseconds(200)});
  const absl::Time began = absl::Now();
  EXPECT_TRUE(absl::IsUnavailable(Validate().status()));
  EXPECT_GE(absl::Now() - began, absl::Milliseconds(200));
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("Validate: DEADLINE_EXCEEDED")));
  released_.Notify();
}

TEST_F(RemoteBackendTest, NobodyIsWaitedForPastTheLogOnsDeadline) {
  Hang();
  Start({.timeout = absl::Minutes(1)});
  EXPECT_TRUE(absl::IsUnavailable(Validate("s3cret", nullptr, clock_.Monotonic() + absl::Milliseconds(200)).status()));
  EXPECT_TRUE(absl::IsUnavailable(Validate("s3cret", nullptr, clock_.Monotonic()).status()));
  EXPECT_THAT(plugin_.validated(), SizeIs(1));
  released_.Notify();
}

TEST_F(RemoteBackendTest, ItsEndAnswersAllThatWait) {
  Hang();
  RemoteBackend& backend = Start();
  constexpr int kCalls = 8;
  std::atomic<int> answers = 0;
  for (int i = 0; i < kCalls; ++i) {
    backend.Validate({.username = alice_, .password = SecretView("s3cret")},
                     [&](const absl::StatusOr<Verdict>& verdict) {
                       EXPECT_TRUE(absl::IsUnavailable(verdict.status()));
                       ++answers;
                     });
  }
  plugin_.WaitForValidates(1);
  backend_ = nullptr;
  EXPECT_EQ(answers, kCalls);
  released_.Notify();
}

// gRPC's threads end with the last channel, which must not be let go of on one of them.
TEST_F(RemoteBackendTest, ItsEndMayComeRightAfterAnAnswer) {
  Answer(v1::DECISION_ACCEPTED);
  plugin_.Start();
  for (int i = 0; i < 300; ++i) {
    Build();
    EXPECT_TRUE(Validate().ok());
    backend_ = nullptr;
  }
}

TEST_F(RemoteBackendTest, MoreThanMayWaitAreRefusedAtOnce) {
  Hang();
  RemoteBackend& backend = Start({.max_in_flight = 2});
  absl::BlockingCounter answers(2);
  for (int i = 0; i < 2; ++i) {
    backend.Validate({.username = alice_, .password = SecretView("s3cret")},
                     [&](const absl::StatusOr<Verdict>&) { answers.DecrementCount(); });
  }
  EXPECT_TRUE(absl::IsResourceExhausted(Validate().status()));
  released_.Notify();
  answers.Wait();
}

TEST_F(RemoteBackendTest, ANameStandsForTheAccountThatThePlugInResolvesItTo) {
  v1::ResolveResponse next;
  plugin_.on_resolve = [&](const v1::ResolveRequest& request, v1::ResolveResponse* response) {
    EXPECT_EQ(request.realm(), "corp.example");
    EXPECT_EQ(request.username(), "alice");
    *response = next;
    return grpc::Status::OK;
  };
  Start();
  next.set_resolution(v1::RESOLUTION_FOUND);
  EXPECT_EQ((*Resolve())->name.view(), "alice");
  next.set_username("Alice.Smith");
  EXPECT_EQ((*Resolve())->name.view(), "alice.smith");
  next.set_resolution(v1::RESOLUTION_UNKNOWN_USER);
  EXPECT_EQ(*Resolve(), std::nullopt);
  EXPECT_THAT(reporter_.Take(), IsEmpty());
  for (const auto resolution : {v1::RESOLUTION_UNSPECIFIED, static_cast<v1::Resolution>(7)}) {
    next.set_resolution(resolution);
    EXPECT_TRUE(absl::IsUnavailable(Resolve().status()));
    EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("has no resolution")));
  }
  next.set_resolution(v1::RESOLUTION_FOUND);
  next.set_username(" alice");
  EXPECT_TRUE(absl::IsUnavailable(Resolve().status()));
}

TEST_F(RemoteBackendTest, APlugInWithoutResolveIsAskedOnceAConnection) {
  Answer(v1::DECISION_WRONG_PASSWORD);
  Start();
  for (int i = 0; i < 3; ++i) EXPECT_EQ((*Resolve())->name.view(), "alice");
  EXPECT_EQ(plugin_.resolved(), 1U);
  plugin_.Stop();
  EXPECT_TRUE(absl::IsUnavailable(Validate().status()));
  plugin_.on_resolve = [](const v1::ResolveRequest&, v1::ResolveResponse* response) {
    response->set_resolution(v1::RESOLUTION_UNKNOWN_USER);
    return grpc::Status::OK;
  };
  plugin_.Start();
  absl::StatusOr<std::optional<Account>> account;
  while (!(account = Resolve()).ok()) {
  }
  EXPECT_EQ(*account, std::nullopt);
}

}  // namespace
}  // namespace credcache
