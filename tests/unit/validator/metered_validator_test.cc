#include "validator/metered_validator.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "base/fake_clock.h"
#include "validator/fake_validator.h"

namespace credcache {
namespace {

class MeteredValidatorTest : public testing::Test {
 protected:
  MeteredValidatorTest() {
    auto inner = std::make_unique<FakeValidator>();
    inner_ = inner.get();
    inner_->AddUser("alice", "secret");
    metered_ = std::make_unique<MeteredValidator>(std::move(inner), metrics_, clock_);
  }
  void Ask(absl::string_view name, absl::string_view password) {
    metered_->Validate({.username = Name(name), .password = SecretView(password)}, [](const auto&) {});
  }
  void Resolve(absl::string_view name) {
    metered_->Resolve({.name = Name(name)}, [](const auto&) {});
  }

  FakeClock clock_;
  BackendMetrics metrics_;
  FakeValidator* inner_;
  std::unique_ptr<MeteredValidator> metered_;
};

TEST_F(MeteredValidatorTest, CountsEachResult) {
  Ask("alice", "secret");
  Ask("alice", "guess");
  Ask("mallory", "x");
  inner_->AnswerAlways(Verdict{.decision = Decision::kLocked});
  Ask("alice", "secret");
  inner_->AnswerAlways(absl::UnavailableError("down"));
  Ask("alice", "secret");
  inner_->AnswerAlways(absl::ResourceExhaustedError("full"));
  Ask("alice", "secret");
  EXPECT_EQ(metrics_.Requests(BackendResult::kAccepted), 1U);
  EXPECT_EQ(metrics_.Requests(BackendResult::kRejected), 1U);
  EXPECT_EQ(metrics_.Requests(BackendResult::kUnknownUser), 1U);
  EXPECT_EQ(metrics_.Requests(BackendResult::kLocked), 1U);
  EXPECT_EQ(metrics_.Requests(BackendResult::kError), 1U);
  EXPECT_EQ(metrics_.Requests(BackendResult::kOverload), 1U);
}

TEST_F(MeteredValidatorTest, ShowsWhatIsUnderWayAndHowLongItTook) {
  inner_->Hold();
  Ask("alice", "secret");
  EXPECT_EQ(metrics_.InFlight(), 1);
  clock_.Advance(absl::Milliseconds(20));
  inner_->Release();
  EXPECT_EQ(metrics_.InFlight(), 0);
  EXPECT_EQ(metrics_.Read().latency_median, absl::Milliseconds(20));
}

TEST_F(MeteredValidatorTest, AResolveCountsOnlyWhenItFails) {
  Resolve("alice");
  Resolve("nobody");
  EXPECT_EQ(metrics_.Read().requests, 0U);
  EXPECT_EQ(metrics_.InFlight(), 0);
  inner_->FailResolve(absl::UnavailableError("down"));
  Resolve("alice");
  EXPECT_EQ(metrics_.Requests(BackendResult::kError), 1U);
  EXPECT_FALSE(metrics_.Read().up);
}

}  // namespace
}  // namespace credcache
