#include "backends/ldap_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const LdapIdentityRules kRules = {
    .realm = "corp.example", .username = "uid", .groups = "memberOf", .attributes = {"mail", "givenName"}};

Username Name(absl::string_view name) { return *Username::Normalize(name, CaseRule::kFold); }

TEST(LdapIdentityTest, ReadsWhatTheRulesName) {
  const LdapEntry entry = {.dn = "uid=alice,dc=corp",
                           .attributes = {{"UID", {"Alice"}},
                                          {"entryUUID", {"1234-uuid"}},
                                          {"memberof", {"cn=b,dc=corp", "cn=a,dc=corp"}},
                                          {"Mail", {"alice@corp.example", "al@corp.example"}},
                                          {"givenname", {"Alice"}},
                                          {"userPassword", {"{SSHA}x"}}}};
  const auto account = AccountOf(entry, kRules, Name("al"));
  ASSERT_TRUE(account.ok()) << account.status();
  EXPECT_EQ(account->name.view(), "alice");
  EXPECT_EQ(account->subject, "1234-uuid");
  EXPECT_EQ(LdapLocator::Of(account->locator).dn, "uid=alice,dc=corp");
  EXPECT_EQ(account->identity.username(), "alice");
  EXPECT_EQ(account->identity.subject(), "1234-uuid");
  EXPECT_THAT(account->identity.details().groups, ElementsAre("cn=b,dc=corp", "cn=a,dc=corp"));
  EXPECT_THAT(account->identity.details().attributes,
              ElementsAre(Pair("givenName", "Alice"), Pair("mail", "alice@corp.example")));
}

TEST(LdapIdentityTest, AskesOnlyForWhatItReads) {
  EXPECT_THAT(AttributesToRead(kRules), ElementsAre("entryUUID", "objectGUID", "uid", "memberOf", "mail", "givenName"));
  EXPECT_THAT(AttributesToRead({.password_stamp = true}),
              ElementsAre("entryUUID", "objectGUID", "pwdLastSet", "pwdChangedTime"));
}

TEST(LdapIdentityTest, FallsBackToTheNameThatWasAsked) {
  const auto account = AccountOf({.dn = "cn=x"}, kRules, Name("alice"));
  ASSERT_TRUE(account.ok());
  EXPECT_EQ(account->name.view(), "alice");
  EXPECT_EQ(account->subject, "corp.example/alice");
  EXPECT_EQ(PlainIdentity(kRules, Name("Bob")).subject(), "corp.example/bob");
}

TEST(LdapIdentityTest, OfManyCanonicalNamesTakesTheSameOneAlways) {
  const auto a = AccountOf({.dn = "cn=x", .attributes = {{"uid", {"Zoe", "ALICE", " bad"}}}}, kRules, Name("zoe"));
  const auto b = AccountOf({.dn = "cn=x", .attributes = {{"uid", {"alice", "zoe"}}}}, kRules, Name("alice"));
  EXPECT_EQ(a->name.view(), "alice");
  EXPECT_EQ(b->name.view(), "alice");
}

TEST(LdapIdentityTest, WritesGuidsAsPeopleDo) {
  const std::string bytes("\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
  EXPECT_EQ(GuidText(bytes), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(GuidText(bytes.substr(1)), "");
  EXPECT_EQ(AccountOf({.dn = "cn=x", .attributes = {{"objectGUID", {bytes}}}}, kRules, Name("a"))->subject,
            "00112233-4455-6677-8899-aabbccddeeff");
}

TEST(LdapIdentityTest, TheLocatorHoldsTheStampOfThePassword) {
  const auto stamp = [](const std::string& attribute, const std::string& value) {
    const LdapEntry entry = {.dn = "cn=a b,dc=corp", .attributes = {{attribute, {value}}}};
    const LdapLocator locator = LdapLocator::Of(AccountOf(entry, kRules, Name("a"))->locator);
    EXPECT_EQ(locator.dn, "cn=a b,dc=corp");
    return locator.password_stamp;
  };
  EXPECT_EQ(stamp("pwdLastSet", "134403715358980400"), 134403715358980400);
  EXPECT_EQ(stamp("PWDCHANGEDTIME", "20261124204430Z"), 1795553070);
  EXPECT_EQ(stamp("pwdLastSet", "0"), 0);
  EXPECT_EQ(stamp("pwdLastSet", "-1"), 0);
  EXPECT_EQ(stamp("pwdLastSet", "soon"), 0);
  EXPECT_EQ(stamp("pwdChangedTime", "2026"), 0);
  EXPECT_EQ(stamp("mail", "a@b"), 0);
  EXPECT_EQ(LdapLocator::Of("").dn, "");
}

TEST(LdapIdentityTest, OtherGroupsTakeThePlaceOfThoseInTheEntry) {
  const LdapEntry entry = {.dn = "cn=a", .attributes = {{"memberOf", {"cn=x"}}, {"mail", {"a@b"}}}};
  const Identity identity = AccountOf(entry, kRules, Name("a"))->identity;
  const auto with_groups = WithGroups(identity, {"cn=b", "\xff", "cn=c"});
  ASSERT_TRUE(with_groups.ok());
  EXPECT_THAT(with_groups->details().groups, ElementsAre("cn=b", "cn=c"));
  EXPECT_THAT(with_groups->details().attributes, ElementsAre(Pair("mail", "a@b")));
  EXPECT_EQ(with_groups->username(), identity.username());
  EXPECT_EQ(with_groups->subject(), identity.subject());
  EXPECT_FALSE(WithGroups(identity, std::vector<std::string>(kMaxGroups + 1, "g")).ok());
}

TEST(LdapIdentityTest, LeavesOutWhatIsNotUtf8) {
  const auto account =
      AccountOf({.dn = "cn=x", .attributes = {{"memberOf", {"\xff", "ok"}}, {"mail", {"\xff\xfe", "a@b"}}}}, kRules,
                Name("alice"));
  EXPECT_THAT(account->identity.details().groups, ElementsAre("ok"));
  EXPECT_THAT(account->identity.details().attributes, ElementsAre(Pair("mail", "a@b")));
}

TEST(LdapIdentityTest, CutsNothingOff) {
  LdapEntry entry = {.dn = "cn=x", .attributes = {{"memberOf", std::vector<std::string>(kMaxGroups, "g")}}};
  EXPECT_TRUE(AccountOf(entry, kRules, Name("a")).ok());
  entry.attributes[0].second.emplace_back("one more");
  EXPECT_THAT(AccountOf(entry, kRules, Name("a")).status().message(), HasSubstr("too large: 4097 groups"));
  entry.attributes = {{"mail", {std::string(kMaxIdentitySize, 'x')}}};
  EXPECT_THAT(AccountOf(entry, kRules, Name("a")).status().message(), HasSubstr("too large"));
  entry.attributes = {{"memberOf;range=0-1499", {"g"}}};
  EXPECT_THAT(AccountOf(entry, kRules, Name("a")).status().message(), HasSubstr("more groups"));
}

}  // namespace
}  // namespace credcache
