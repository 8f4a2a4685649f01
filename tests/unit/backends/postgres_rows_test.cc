#include "backends/postgres_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

constexpr PostgresType kBool = 16;
constexpr PostgresType kName = 19;
constexpr PostgresType kInteger = 23;
constexpr PostgresType kText = 25;
constexpr PostgresType kTextArray = 1009;
constexpr PostgresType kTimestamp = 1114;
constexpr PostgresType kTimestamptz = 1184;
constexpr PostgresType kCitext = 16'500;

using Columns = std::vector<PostgresStatement::Column>;

std::string Mistake(std::vector<PostgresType> parameters, Columns columns) {
  const auto found = PostgresColumns::Of({.parameters = std::move(parameters), .columns = std::move(columns)});
  return found.ok() ? "none" : std::string(found.status().message());
}

TEST(PostgresColumnsTest, SayWhatIsWrongWithAStatement) {
  const Columns hash = {{"hash", kText}};
  EXPECT_EQ(Mistake({kText}, hash), "none");
  EXPECT_EQ(Mistake({kCitext}, hash), "none");
  EXPECT_EQ(Mistake({}, hash), "the query has 0 parameters; it needs $1 alone, the name");
  EXPECT_EQ(Mistake({kText, kText}, hash), "the query has 2 parameters; it needs $1 alone, the name");
  EXPECT_EQ(Mistake({kInteger}, hash), "the query compares $1 with what is no text; cast that to text");
  EXPECT_EQ(Mistake({kText}, {}), "the query has no column hash");
  EXPECT_EQ(Mistake({kText}, {{"id", kText}, {"Hash", kText}}), "the query has no column hash");
  EXPECT_EQ(Mistake({kText}, {{"hash", kText}, {"mail", kText}, {"mail", kText}}), "the query has two columns mail");
  EXPECT_EQ(Mistake({kText}, {{"hash", kInteger}}), "the column hash is not text");
  EXPECT_EQ(Mistake({kText}, {{"hash", kText}, {"username", kInteger}}), "the column username is not text");
  EXPECT_EQ(Mistake({kText}, {{"hash", kText}, {"disabled", kText}}), "the column disabled is not boolean");
  EXPECT_EQ(Mistake({kText}, {{"hash", kText}, {"locked", kInteger}}), "the column locked is not boolean");
  // Without a time zone nobody knows which moment it is.
  EXPECT_EQ(Mistake({kText}, {{"hash", kText}, {"expires", kTimestamp}}),
            "the column expires is neither timestamptz nor date");
  EXPECT_EQ(Mistake({kText}, {{"hash", kText}, {"groups", kInteger}}), "the column groups is neither text[] nor text");
  Columns many = hash;
  for (int i = 0; i < 65; ++i) many.push_back({"a" + std::to_string(i), kText});
  EXPECT_EQ(Mistake({kText}, many), "the query has more than 64 columns for attributes");
}

TEST(PostgresColumnsTest, ANameThatWouldBeCutIsNobodys) {
  EXPECT_EQ(PostgresColumns::Of({.parameters = {kName}, .columns = {{"hash", kText}}})->max_name_size, 63U);
  EXPECT_EQ(PostgresColumns::Of({.parameters = {kText}, .columns = {{"hash", kText}}})->max_name_size, 256U);
}

class PostgresRowTest : public ::testing::Test {
 protected:
  static constexpr absl::string_view kHash = "$5$salt$hash";

  explicit PostgresRowTest(PostgresType groups = kTextArray)
      : columns_(*PostgresColumns::Of({.parameters = {kText},
                                       .columns = {{"mail", kText},
                                                   {"hash", kText},
                                                   {"id", kInteger},
                                                   {"username", kText},
                                                   {"groups", groups},
                                                   {"disabled", kBool},
                                                   {"locked", kBool},
                                                   {"expires", kTimestamptz}}})) {}

  absl::StatusOr<PostgresUser> Read(const PostgresRow& row) const {
    return UserOf(row, columns_, {.realm = "corp.example"}, *Username::Normalize("alice", CaseRule::kFold));
  }
  PostgresUser User(const PostgresRow& row) const {
    auto user = Read(row);
    EXPECT_TRUE(user.ok()) << user.status();
    return *std::move(user);
  }

  const PostgresColumns columns_;
  PostgresRow row_ = {"a@x", kHash, "7", "ALICE.A", "{staff,\"two words\"}", "f", "f", std::nullopt};
};

TEST_F(PostgresRowTest, ReadsEveryColumn) {
  const PostgresUser user = User(row_);
  EXPECT_THAT(user.hash, Optional(std::string(kHash)));
  EXPECT_EQ(user.account.name.view(), "alice.a");
  EXPECT_EQ(user.account.subject, "7");
  EXPECT_EQ(user.account.identity.username(), "alice.a");
  EXPECT_EQ(user.account.identity.subject(), "7");
  EXPECT_THAT(user.account.identity.details().groups, ElementsAre("staff", "two words"));
  EXPECT_THAT(user.account.identity.details().attributes, ElementsAre(Pair("mail", "a@x")));
  EXPECT_FALSE(user.disabled || user.locked);
  EXPECT_EQ(user.expires, absl::InfiniteFuture());
}

TEST_F(PostgresRowTest, NullsAreTheDefaults) {
  const PostgresUser user = User(PostgresRow(8));
  EXPECT_EQ(user.hash, std::nullopt);
  EXPECT_EQ(user.account.name.view(), "alice");
  EXPECT_EQ(user.account.subject, "corp.example/alice");
  EXPECT_THAT(user.account.identity.details().groups, IsEmpty());
  EXPECT_THAT(user.account.identity.details().attributes, IsEmpty());
  EXPECT_FALSE(user.disabled || user.locked);
  EXPECT_EQ(user.expires, absl::InfiniteFuture());
}

TEST_F(PostgresRowTest, WhatCannotBeUnderstoodOrIsTooMuchIsAnError) {
  const auto broken = [this](size_t column, absl::string_view value) {
    PostgresRow row = row_;
    row[column] = value;
    return std::string(Read(row).status().ToString());
  };
  EXPECT_EQ(broken(7, "tomorrow"), "UNAVAILABLE: the column expires holds no moment that can be read");
  EXPECT_EQ(broken(3, " alice"), "UNAVAILABLE: a name in the column username has a leading or trailing space");
  EXPECT_EQ(broken(4, "{{a},{b}}"), "UNAVAILABLE: the column groups is no array of one dimension");
  EXPECT_EQ(broken(0, "\xff"), "UNAVAILABLE: a row holds what is not UTF-8");
  EXPECT_EQ(broken(2, std::string(1025, 'x')), "UNAVAILABLE: a row is too large: 2 groups, 1046 bytes");
  std::string many = "{a";
  for (int i = 0; i < 4096; ++i) many += ",b";
  EXPECT_EQ(broken(4, many + "}"), "UNAVAILABLE: a row is too large: 4097 groups, 4105 bytes");
}

TEST_F(PostgresRowTest, WhatTheRowSaysIsToldAfterTheRightPasswordOnly) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000'000);
  const auto verdict = [&](absl::string_view disabled, absl::string_view locked, absl::string_view expires,
                           bool matches) {
    PostgresRow row = row_;
    row[5] = disabled;
    row[6] = locked;
    row[7] = expires;
    return VerdictOf(User(row), matches, now).decision;
  };
  EXPECT_EQ(verdict("f", "f", "infinity", true), Decision::kAccepted);
  EXPECT_EQ(verdict("f", "f", "2001-09-09 01:46:41+00", true), Decision::kAccepted);
  EXPECT_EQ(verdict("f", "f", "2001-09-09 01:46:40+00", true), Decision::kPasswordExpired);
  EXPECT_EQ(verdict("t", "f", "-infinity", true), Decision::kAccountDisabled);
  EXPECT_EQ(verdict("t", "t", "infinity", true), Decision::kLocked);
  EXPECT_EQ(verdict("t", "t", "-infinity", false), Decision::kWrongPassword);
  EXPECT_EQ(verdict("f", "f", "infinity", false), Decision::kWrongPassword);
  EXPECT_EQ(VerdictOf(User(PostgresRow(8)), true, now).decision, Decision::kWrongPassword) << "NULL is no hash";
  const Verdict accepted = VerdictOf(User(row_), true, now);
  EXPECT_EQ(accepted.identity.subject(), "7");
  EXPECT_TRUE(VerdictOf(User(row_), false, now).identity.empty());
}

class PostgresTextGroupsTest : public PostgresRowTest {
 protected:
  PostgresTextGroupsTest() : PostgresRowTest(kText) {}
};

TEST_F(PostgresTextGroupsTest, GroupsMayBeTextWithCommasOrSemicolons) {
  row_[4] = " staff, admins;;two words , ";
  EXPECT_THAT(User(row_).account.identity.details().groups, ElementsAre("staff", "admins", "two words"));
  row_[4] = "";
  EXPECT_THAT(User(row_).account.identity.details().groups, IsEmpty());
}

TEST(PostgresTextTest, ReadsArrays) {
  EXPECT_THAT(ParsePostgresArray("{}"), Optional(IsEmpty()));
  EXPECT_THAT(ParsePostgresArray("{a}"), Optional(ElementsAre("a")));
  EXPECT_THAT(ParsePostgresArray("{a,NULL,\"NULL\",b c}"), Optional(ElementsAre("a", "NULL", "b c")));
  EXPECT_THAT(ParsePostgresArray(R"({"a,b","c}d","e\"f","g\\h",""})"),
              Optional(ElementsAre("a,b", "c}d", "e\"f", "g\\h", "")));
  for (const char* bad : {"", "a", "{", "{a", "{a,", "{a,}", "{,a}", "{\"a}", "{\"a\"b}", "{a}b", "{{a}}", "{a\\",
                          "[1:1]={a}", "{a\"b\"}"}) {
    EXPECT_EQ(ParsePostgresArray(bad), std::nullopt) << bad;
  }
}

TEST(PostgresTextTest, ReadsTimes) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  EXPECT_EQ(ParsePostgresTime("2027-01-31"), absl::FromCivil(absl::CivilDay(2027, 1, 31), utc));
  EXPECT_EQ(ParsePostgresTime("2027-01-31 12:34:56+00"),
            absl::FromCivil(absl::CivilSecond(2027, 1, 31, 12, 34, 56), utc));
  EXPECT_EQ(ParsePostgresTime("2027-01-31 12:34:56.789+00"),
            absl::FromCivil(absl::CivilSecond(2027, 1, 31, 12, 34, 56), utc) + absl::Milliseconds(789));
  EXPECT_EQ(ParsePostgresTime("12027-01-31"), absl::FromCivil(absl::CivilDay(12027, 1, 31), utc));
  EXPECT_EQ(ParsePostgresTime("0044-03-15 BC"), absl::InfinitePast());
  EXPECT_EQ(ParsePostgresTime("infinity"), absl::InfiniteFuture());
  EXPECT_EQ(ParsePostgresTime("-infinity"), absl::InfinitePast());
  for (const char* bad : {"", "now", "2027-13-01", "2027-01-31 12:34:56", "2027-01-31 12:34:56+01", "31.01.2027"}) {
    EXPECT_EQ(ParsePostgresTime(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace credcache
