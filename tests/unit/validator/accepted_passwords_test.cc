#include "validator/accepted_passwords.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/fake_clock.h"
#include "base/random.h"
#include "validator/fake_validator.h"

namespace credcache {
namespace {

constexpr absl::Duration kKeep = absl::Hours(3);

class AcceptedPasswordsTest : public testing::Test {
 protected:
  bool Accept(absl::string_view password, int64_t stamp, absl::string_view name = "alice", RealmId realm = RealmId{0}) {
    return accepted_.Accept({realm, Name(name)}, digester_.Compute("corp", name, SecretView(password)), stamp, kKeep);
  }

  FakeClock clock_;
  SystemRandomness randomness_;
  Digester digester_{randomness_};
  AcceptedPasswords accepted_{10'000, clock_, randomness_};
};

TEST_F(AcceptedPasswordsTest, PasswordUnderOneStampStaysRight) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(Accept("old", 100));
    clock_.Advance(absl::Hours(2));
  }
}

TEST_F(AcceptedPasswordsTest, PasswordFromBeforeAChangeIsRefused) {
  EXPECT_TRUE(Accept("old", 100));
  EXPECT_FALSE(Accept("old", 200));
  EXPECT_TRUE(Accept("new", 200));
  EXPECT_FALSE(Accept("old", 200));
  EXPECT_TRUE(Accept("new", 200));
}

// A directory server that has not heard of the change yet.
TEST_F(AcceptedPasswordsTest, OldStampDoesNotMakeAnOldPasswordRightAgain) {
  EXPECT_TRUE(Accept("old", 100));
  EXPECT_TRUE(Accept("new", 200));
  EXPECT_FALSE(Accept("old", 100));
  EXPECT_FALSE(Accept("never seen", 100));
  EXPECT_TRUE(Accept("new", 100));
  EXPECT_TRUE(Accept("new", 200));
}

TEST_F(AcceptedPasswordsTest, EachChangeRetiresAllThatWasBefore) {
  for (int i = 1; i <= 6; ++i) EXPECT_TRUE(Accept(absl::StrCat("password ", i), 100 * i)) << i;
  EXPECT_TRUE(Accept("password 6", 600));
  EXPECT_FALSE(Accept("password 5", 600));
  EXPECT_FALSE(Accept("password 4", 600));
  EXPECT_FALSE(Accept("password 3", 600));
}

// Applications may have passwords of their own.
TEST_F(AcceptedPasswordsTest, SeveralUnderOneStampAreAllRight) {
  EXPECT_TRUE(Accept("one", 100));
  EXPECT_TRUE(Accept("two", 100));
  EXPECT_TRUE(Accept("one", 100));
  EXPECT_TRUE(Accept("two", 100));
}

TEST_F(AcceptedPasswordsTest, RemembersAsLongAsItIsToldAndNoLonger) {
  EXPECT_TRUE(Accept("old", 100));
  clock_.Advance(kKeep - absl::Seconds(1));
  EXPECT_FALSE(Accept("old", 200));
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Accept("old", 200));
}

TEST_F(AcceptedPasswordsTest, BeingRefusedDoesNotLengthenIt) {
  EXPECT_TRUE(Accept("old", 100));
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(kKeep / 3);
    if (i < 2) {
      EXPECT_FALSE(Accept("old", 200));
    }
  }
  EXPECT_TRUE(Accept("old", 200));
}

TEST_F(AcceptedPasswordsTest, AccountsAndRealmsAreApart) {
  EXPECT_TRUE(Accept("same", 100, "alice"));
  EXPECT_TRUE(Accept("same", 200, "bob"));
  EXPECT_TRUE(Accept("same", 200, "alice", RealmId{1}));
  EXPECT_FALSE(Accept("same", 200, "alice"));
}

TEST_F(AcceptedPasswordsTest, LiftedIsOneAccountARealmOrAll) {
  const auto retire = [this] {
    clock_.Advance(2 * kKeep);
    for (const char* name : {"alice", "bob"}) Accept("old", 100, name);
    Accept("old", 100, "carol", RealmId{1});
    EXPECT_FALSE(Accept("old", 200, "alice"));
  };
  retire();
  accepted_.Lift({RealmId{0}, Name("alice")});
  EXPECT_TRUE(Accept("old", 200, "alice"));
  EXPECT_FALSE(Accept("old", 200, "bob"));
  retire();
  accepted_.LiftRealm(RealmId{0});
  EXPECT_TRUE(Accept("old", 200, "bob"));
  EXPECT_FALSE(Accept("old", 200, "carol", RealmId{1}));
  retire();
  accepted_.LiftAll();
  EXPECT_TRUE(Accept("old", 200, "alice"));
  EXPECT_TRUE(Accept("old", 200, "carol", RealmId{1}));
  // What is accepted after it is remembered as before.
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(Accept("old", 300, "alice"));
}

}  // namespace
}  // namespace credcache
