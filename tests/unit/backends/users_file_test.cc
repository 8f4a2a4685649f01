#include "backends/users_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr absl::string_view kSha512 =
    "$6$rounds=1000$saltsalt$zcCvYcDM8j0aB28drG.Vwe4L4mnOkoRyg3Q.Bu7J9v6yK9aKDDPiDDlrOhF03cpnd3KFfSzTDNEBa0iVYm2H90";
constexpr absl::string_view kBcrypt = "$2b$05$I0YZkxBAXsSwxoACaFwG3ugfVQMiy5igwFGpDezSs0mpRYQExczFu";
constexpr absl::string_view kArgon2id =
    "$argon2id$v=19$m=8,t=2,p=1$c2FsdHNhbHQ$YrTwryPnEqPXu8NpdWhsO3Db/pjl+6yUCvM/V1A977k";

UsersFile Parse(absl::string_view text, CaseRule case_rule = CaseRule::kFold) {
  auto file = ParseUsersFile(text, case_rule);
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

const User* Find(const UsersFile& file, absl::string_view name, CaseRule case_rule = CaseRule::kFold) {
  return file.Find(*Username::Normalize(name, case_rule));
}

std::vector<std::string> Errors(const UsersFile& file) {
  std::vector<std::string> errors;
  errors.reserve(file.errors.size());
  for (const UsersFileError& error : file.errors) errors.push_back(absl::StrCat(error.line, " ", error.text));
  return errors;
}

TEST(UsersFileTest, ReadsUsersCommentsAndKeys) {
  const UsersFile file = Parse(absl::StrCat("# sample\n\n  # indented\nalice:", kSha512, "\r\nBob:", kArgon2id,
                                            ":groups=staff;mail users,expires=2027-01-31\ncarol:{CRYPT}", kSha512,
                                            ":disabled\ndave:", kBcrypt, ":\n"));
  EXPECT_THAT(Errors(file), IsEmpty());
  ASSERT_EQ(file.users.size(), 4U);
  EXPECT_TRUE(Find(file, "alice")->hash.has_value());
  EXPECT_FALSE(Find(file, "alice")->disabled);
  EXPECT_EQ(Find(file, "alice")->expires, absl::InfiniteFuture());
  const User* bob = Find(file, "BOB");
  ASSERT_NE(bob, nullptr);
  EXPECT_THAT(bob->details->groups, ElementsAre("staff", "mail users"));
  EXPECT_EQ(bob->expires, absl::FromCivil(absl::CivilDay(2027, 1, 31), absl::UTCTimeZone()));
  EXPECT_TRUE(Find(file, "carol")->disabled);
  EXPECT_EQ(Find(file, "mallory"), nullptr);
}

TEST(UsersFileTest, PostgresqlsVerifiersHaveColonsOfTheirOwn) {
  constexpr absl::string_view kScram =
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
      "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
  const UsersFile file = Parse(absl::StrCat("alice:", kScram, "\nbob:", kScram, ":groups=staff;mail,disabled\n"));
  EXPECT_THAT(Errors(file), IsEmpty());
  EXPECT_TRUE(Find(file, "alice")->hash.has_value());
  EXPECT_THAT(Find(file, "bob")->details->groups, ElementsAre("staff", "mail"));
  EXPECT_TRUE(Find(file, "bob")->disabled);
}

TEST(UsersFileTest, BadLinesAreNamedAndTheirUsersHaveNoPassword) {
  const UsersFile file = Parse(absl::StrCat("alice:", kSha512, "\n",                       //
                                            "no colon\n",                                  //
                                            "bob:\n",                                      //
                                            "carol:{PLAIN}s3cret\n",                       //
                                            "dave:", kSha512, ":colour=blue\n",            //
                                            "erin:", kSha512, ":expires=2027-02-30\n",     //
                                            "frank:", kSha512, ":expires=soon\n",          //
                                            "grace:", kSha512, ":groups=a;;b\n",           //
                                            "heidi:", kSha512, ":disabled,disabled\n",     //
                                            "ivan:", kSha512, ":disabled=no\n",            //
                                            "judy:", kSha512, ":1000:1000::/home/judy\n",  //
                                            "mal\x01ory:", kSha512, "\n",                  //
                                            " trent:", kSha512, "\n",                      //
                                            ":", kSha512, "\n",                            //
                                            std::string(300, 'u'), ":", kSha512, "\n",     //
                                            "victor:", kSha512, ":groups=\xff\n",          //
                                            "walter:", kSha512, ":,\n"));
  EXPECT_THAT(Errors(file),
              ElementsAre("2 has no ':' after the name",  //
                          "3 the hash is empty",          //
                          "4 the hash's {SCHEME} is none of {CRYPT}, {BLF-CRYPT}, {SHA512-CRYPT}, {SHA256-CRYPT}, "
                          "{ARGON2ID}, {SCRAM-SHA-256}",                          //
                          "5 has a key other than groups=, disabled, expires=",   //
                          "6 expires= is no day of the calendar",                 //
                          "7 expires= is not YYYY-MM-DD",                         //
                          "8 a group is empty",                                   //
                          "9 has a key twice",                                    //
                          "10 has a key other than groups=, disabled, expires=",  //
                          "11 has a key other than groups=, disabled, expires=",  //
                          "12 the name has a control or invisible character",     //
                          "13 the name has a leading or trailing space",          //
                          "14 the name is empty",                                 //
                          "15 the name is longer than 256 bytes",                 //
                          "16 a group is not valid UTF-8",                        //
                          "17 has a key other than groups=, disabled, expires="));
  EXPECT_TRUE(Find(file, "alice")->hash.has_value());
  for (const absl::string_view name : {"bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"}) {
    ASSERT_NE(Find(file, name), nullptr) << name;
    EXPECT_FALSE(Find(file, name)->hash.has_value()) << name;
  }
}

TEST(UsersFileTest, OfTwoLinesForOneNameNeitherCounts) {
  const UsersFile file = Parse(absl::StrCat("alice:", kSha512, "\nALICE:", kBcrypt, "\nbob:", kSha512, "\n"));
  EXPECT_THAT(Errors(file), ElementsAre("2 the name is in an earlier line too; neither counts"));
  EXPECT_FALSE(Find(file, "alice")->hash.has_value());
  EXPECT_TRUE(Find(file, "bob")->hash.has_value());

  const UsersFile sensitive = Parse(absl::StrCat("alice:", kSha512, "\nALICE:", kBcrypt, "\n"), CaseRule::kSensitive);
  EXPECT_THAT(Errors(sensitive), IsEmpty());
  EXPECT_TRUE(Find(sensitive, "ALICE", CaseRule::kSensitive)->hash.has_value());
}

TEST(UsersFileTest, ChoosesTheCommonestCostForMadeUpNames) {
  EXPECT_EQ(Parse("").commonest.cost(), PasswordHash::Placeholder().cost());
  const UsersFile file = Parse(absl::StrCat("a:", kBcrypt, "\nb:", kSha512, "\nc:", kSha512, "\nd:", kArgon2id, "\n"));
  EXPECT_EQ(file.commonest.cost(), "$6$rounds=1000$");
}

TEST(UsersFileTest, EqualGroupsAreShared) {
  const UsersFile file = Parse(absl::StrCat("a:", kSha512, ":groups=x;y\nb:", kSha512, ":groups=x;y\n"));
  EXPECT_EQ(Find(file, "a")->details.get(), Find(file, "b")->details.get());
}

TEST(UsersFileTest, DescribesAHundredBadLinesAndCountsTheRest) {
  std::string text;
  for (int i = 0; i < 250; ++i) absl::StrAppend(&text, "user", i, ":x\n");
  const UsersFile file = Parse(text);
  EXPECT_EQ(file.errors.size(), kMaxUsersFileErrors);
  EXPECT_EQ(file.bad_lines, 250U);
  EXPECT_EQ(file.users.size(), 250U);
}

TEST(UsersFileTest, RefusesFilesOverTheLimits) {
  EXPECT_EQ(ParseUsersFile(std::string(kMaxUsersFileSize + 1, '#'), CaseRule::kFold).status().message(),
            "is larger than 64 MiB");
  std::string text;
  for (size_t i = 0; i <= kMaxUsersFileUsers; ++i) absl::StrAppend(&text, i, ":x\n");
  EXPECT_EQ(ParseUsersFile(text, CaseRule::kFold).status().message(), "has more than 1,000,000 users");
  const UsersFile longest =
      Parse(absl::StrCat("a:", kSha512, ":groups=", std::string(kMaxUsersFileLineSize, 'x'), "\n"));
  EXPECT_THAT(Errors(longest), ElementsAre("1 is longer than 64 KiB"));
}

TEST(UsersFileTest, TellsToWhomAChangeMakesADifference) {
  const std::string before =
      absl::StrCat("same:", kSha512, ":groups=a;b\nhash:", kSha512, "\ngroups:", kSha512, ":groups=a\nlocked:", kSha512,
                   "\nexpiry:", kSha512, "\ngone:", kSha512, "\nbad:", kSha512, "\nstill-bad:x\n");
  const std::string after = absl::StrCat(
      "# other order\nstill-bad:y\nhash:", kBcrypt, "\ngroups:", kSha512, ":groups=a;b\nlocked:", kSha512,
      ":disabled\nexpiry:", kSha512, ":expires=2027-01-31\nNew:", kSha512, "\nbad:x\nSame:", kSha512, ":groups=a;b\n");
  EXPECT_THAT(ChangedUsers(Parse(before), Parse(after)),
              UnorderedElementsAre("hash", "groups", "locked", "expiry", "gone", "bad", "new"));
  EXPECT_THAT(ChangedUsers(Parse(after), Parse(after)), IsEmpty());
  EXPECT_THAT(ChangedUsers(Parse(""), Parse("a:x\n")), ElementsAre("a"));
}

}  // namespace
}  // namespace credcache
