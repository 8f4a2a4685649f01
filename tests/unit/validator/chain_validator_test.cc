#include "validator/chain_validator.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "validator/fake_validator.h"

namespace credcache {
namespace {

// Two links, each with a user of its own.
class ChainValidatorTest : public testing::Test {
 protected:
  ChainValidatorTest() { Build(false); }

  void Build(bool continue_on_rejected) {
    auto first = std::make_unique<FakeValidator>();
    auto second = std::make_unique<FakeValidator>();
    first_ = first.get();
    second_ = second.get();
    first_->AddUser("alice", "a");
    second_->AddUser("bob", "b", {"robert"});
    std::vector<ChainValidator::Link> links;
    links.push_back({.validator = std::move(first), .continue_on_rejected = continue_on_rejected});
    links.push_back({.validator = std::move(second)});
    chain_ = std::make_unique<ChainValidator>(std::move(links));
  }

  absl::StatusOr<Verdict> Ask(absl::string_view name, absl::string_view password) {
    absl::StatusOr<Verdict> answer = absl::InternalError("no answer");
    chain_->Validate({.username = Name(name), .password = SecretView(password)},
                     [&](absl::StatusOr<Verdict> verdict) { answer = std::move(verdict); });
    return answer;
  }

  FakeValidator* first_;
  FakeValidator* second_;
  std::unique_ptr<ChainValidator> chain_;
};

TEST_F(ChainValidatorTest, TheFirstThatKnowsTheUserDecides) {
  EXPECT_EQ(Ask("alice", "a")->decision, Decision::kAccepted);
  EXPECT_EQ(Ask("bob", "b")->decision, Decision::kAccepted);
  EXPECT_EQ(first_->validations(), 1);
  EXPECT_EQ(second_->validations(), 1);
}

TEST_F(ChainValidatorTest, ARejectionIsFinal) {
  second_->AddUser("alice", "elsewhere");
  EXPECT_EQ(Ask("alice", "elsewhere")->decision, Decision::kWrongPassword);
  EXPECT_EQ(second_->validations(), 0);
}

TEST_F(ChainValidatorTest, ContinuesAfterARejectionWhereTheBackendCannotTell) {
  Build(/*continue_on_rejected=*/true);
  second_->AddUser("alice", "elsewhere");
  EXPECT_EQ(Ask("alice", "elsewhere")->decision, Decision::kAccepted);
  EXPECT_EQ(Ask("alice", "a")->decision, Decision::kAccepted);
  EXPECT_EQ(Ask("alice", "neither")->decision, Decision::kWrongPassword);
}

TEST_F(ChainValidatorTest, KeepsTheRejectionWhereNobodyElseKnowsTheUser) {
  Build(/*continue_on_rejected=*/true);
  EXPECT_EQ(Ask("alice", "wrong")->decision, Decision::kWrongPassword);
  EXPECT_EQ(second_->validations(), 0);
}

TEST_F(ChainValidatorTest, AnErrorIsNoUnknownUser) {
  first_->FailResolve(absl::UnavailableError("down"));
  EXPECT_EQ(Ask("bob", "b").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(second_->validations(), 0);
}

TEST_F(ChainValidatorTest, AnUnknownUserCostsAValidation) {
  EXPECT_EQ(Ask("mallory", "x")->decision, Decision::kUnknownUser);
  EXPECT_EQ(second_->validations(), 1);
}

TEST_F(ChainValidatorTest, EachLinkHearsThatAnAccountIsInQuarantine) {
  chain_->Validate({.username = Name("robert"), .password = SecretView("b"), .quarantined = true},
                   [](const absl::StatusOr<Verdict>& verdict) { EXPECT_EQ(verdict->decision, Decision::kAccepted); });
  EXPECT_EQ(first_->quarantined_resolves(), 1);
  EXPECT_EQ(second_->quarantined_resolves(), 1);
  EXPECT_EQ(second_->quarantined_validations(), 1);
}

TEST_F(ChainValidatorTest, ResolveSaysWhichLinkKnowsTheAccount) {
  std::optional<Account> account;
  chain_->Resolve({.name = Name("robert")}, [&](absl::StatusOr<std::optional<Account>> found) { account = *found; });
  ASSERT_TRUE(account.has_value());
  EXPECT_EQ(account->name.view(), "bob");
  EXPECT_EQ(account->validator, 1);

  absl::StatusOr<Verdict> answer = absl::InternalError("no answer");
  chain_->Validate({.username = Name("robert"), .password = SecretView("b"), .account = &*account},
                   [&](absl::StatusOr<Verdict> verdict) { answer = std::move(verdict); });
  EXPECT_EQ(answer->decision, Decision::kAccepted);
  EXPECT_EQ(first_->validations(), 0);
}

}  // namespace
}  // namespace credcache
