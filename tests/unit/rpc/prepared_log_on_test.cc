#include "rpc/prepared_log_on.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rpc/rpc_fixture.h"
#include "rpc/status.h"

namespace credcache {
namespace {

// Says of a name how long it is, and how many it was asked about.
class ExpectingValidator final : public Validator {
 public:
  uint64_t Expect(const Username& name) const override {
    ++expected_;
    return name.view().size();
  }
  void Resolve(const NameQuery&, ResolveDone done) override { done(std::optional<Account>()); }
  void Validate(const LogOn&, ValidateDone done) override { done(Verdict()); }
  int expected() const { return expected_; }

 private:
  mutable int expected_ = 0;
};

class PreparedLogOnTest : public testing::Test {
 protected:
  static Realms OneRealm(std::shared_ptr<Validator> validator) {
    std::vector<Realm> realms;
    realms.push_back({.name = "corp.example", .validator = std::move(validator)});
    return Realms(std::move(realms), 0);
  }

  std::shared_ptr<ExpectingValidator> validator_ = std::make_shared<ExpectingValidator>();
  Realms realms_ = OneRealm(validator_);
};

TEST_F(PreparedLogOnTest, SaysWhereALogOnBelongsAndThatItComes) {
  const v1::AuthenticateRequest message = LogOnOf("Alice@Corp.Example", "s3cret");
  const PreparedLogOn log_on(message, realms_);
  EXPECT_EQ(log_on.request->username, "Alice@Corp.Example");
  EXPECT_EQ(log_on.routed->realm, &realms_.all()[0]);
  EXPECT_EQ(log_on.routed->username.view(), "alice");
  EXPECT_EQ(log_on.name_hash, 5);
}

TEST_F(PreparedLogOnTest, OfWhatIsNoLogOnTheFieldIsTold) {
  const v1::AuthenticateRequest nothing;
  const PreparedLogOn empty(nothing, realms_);
  EXPECT_EQ(PartsOf(ToGrpcStatus(empty.request.status())).field, "credential");
  EXPECT_EQ(PartsOf(ToGrpcStatus(empty.routed.status())).field, "credential");
  const v1::AuthenticateRequest message = LogOnOf(" alice", "s3cret");
  const PreparedLogOn nameless(message, realms_);
  EXPECT_TRUE(nameless.request.ok());
  EXPECT_EQ(PartsOf(ToGrpcStatus(nameless.routed.status())).field, "password.username");
  EXPECT_EQ(validator_->expected(), 0);
}

TEST_F(PreparedLogOnTest, NobodyExpectsALogOnAtARealmThatThereIsNot) {
  v1::AuthenticateRequest message = LogOnOf("alice", "s3cret");
  message.mutable_password()->set_realm("nowhere");
  const PreparedLogOn log_on(message, realms_);
  EXPECT_EQ(log_on.routed->realm, nullptr);
  EXPECT_EQ(log_on.name_hash, 0);
}

TEST_F(PreparedLogOnTest, OfManyAFewAreReadyAndEachComesInItsTurn) {
  std::vector<v1::AuthenticateRequest> messages;
  for (size_t i = 0; i < 50; ++i) {
    messages.push_back(LogOnOf(i % 7 == 3 ? "" : std::string(i + 1, 'u'), absl::StrCat("pw", i)));
  }
  const auto message_at = [&](size_t i) -> const v1::AuthenticateRequest& { return messages[i]; };
  PreparedLogOns log_ons(messages.size(), message_at, realms_);
  EXPECT_EQ(validator_->expected(), 0);
  for (size_t i = 0; i < messages.size(); ++i) {
    const PreparedLogOn& log_on = log_ons.Take();
    ASSERT_EQ(log_on.request->password, SecretView(absl::StrCat("pw", i))) << i;
    ASSERT_EQ(log_on.routed.ok(), i % 7 != 3) << i;
    ASSERT_EQ(log_on.name_hash, i % 7 == 3 ? 0 : i + 1);
    ASSERT_LE(validator_->expected(), static_cast<int>(i) + 8);
  }
  EXPECT_EQ(validator_->expected(), 50 - 7);
}

}  // namespace
}  // namespace credcache
