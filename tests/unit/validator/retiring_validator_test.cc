#include "validator/retiring_validator.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "base/fake_clock.h"
#include "base/random.h"
#include "validator/fake_validator.h"

namespace credcache {
namespace {

// Over a directory that accepts whatever it is asked, with the stamp that the test says.
class RetiringValidatorTest : public testing::Test {
 protected:
  Decision Ask(absl::string_view password, int64_t stamp, absl::string_view as = "alice") {
    directory_->AnswerAlways(
        Verdict{.decision = Decision::kAccepted, .identity = Identity("alice", "id-alice"), .password_stamp = stamp});
    return Answer(password, as);
  }
  Decision Answer(absl::string_view password, absl::string_view as = "alice") {
    std::optional<Decision> decision;
    validator_.Validate({.username = Name(as), .password = SecretView(password)},
                        [&decision](const absl::StatusOr<Verdict>& verdict) { decision = verdict->decision; });
    return decision.value();
  }

  FakeClock clock_;
  SystemRandomness randomness_;
  Digester digester_{randomness_};
  AcceptedPasswords accepted_{1000, clock_, randomness_};
  std::shared_ptr<FakeValidator> directory_ = std::make_shared<FakeValidator>();
  RetiringValidator validator_{
      {.realm = "corp", .keep = absl::Hours(3)}, {.accepted = accepted_, .digester = digester_}, directory_};
};

TEST_F(RetiringValidatorTest, OldPasswordThatTheDirectoryGoesOnTakingIsWrong) {
  EXPECT_EQ(Ask("old", 1), Decision::kAccepted);
  EXPECT_EQ(Ask("new", 2), Decision::kAccepted);
  EXPECT_EQ(Ask("old", 2), Decision::kWrongPassword);
  EXPECT_EQ(Ask("new", 2), Decision::kAccepted);
}

TEST_F(RetiringValidatorTest, AnotherNameOfTheAccountDoesNotGetAroundIt) {
  EXPECT_EQ(Ask("old", 1, "alice"), Decision::kAccepted);
  EXPECT_EQ(Ask("old", 2, "alice@corp.example"), Decision::kWrongPassword);
}

TEST_F(RetiringValidatorTest, AcceptanceWithoutAStampStands) {
  EXPECT_EQ(Ask("old", 0), Decision::kAccepted);
  EXPECT_EQ(Ask("old", 0), Decision::kAccepted);
}

TEST_F(RetiringValidatorTest, OnlyAcceptancesAreRememberedAndNothingElseIsTouched) {
  for (const Decision decision : {Decision::kWrongPassword, Decision::kAccountDisabled, Decision::kLocked}) {
    directory_->AnswerAlways(Verdict{.decision = decision, .password_stamp = 1});
    EXPECT_EQ(Answer("old"), decision);
  }
  EXPECT_EQ(Ask("old", 2), Decision::kAccepted);
  directory_->AnswerAlways(absl::UnavailableError("down"));
  absl::Status status;
  validator_.Validate({.username = Name("alice"), .password = SecretView("old")},
                      [&status](const absl::StatusOr<Verdict>& verdict) { status = verdict.status(); });
  EXPECT_TRUE(absl::IsUnavailable(status));
}

}  // namespace
}  // namespace credcache
