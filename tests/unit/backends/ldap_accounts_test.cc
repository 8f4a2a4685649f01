#include "backends/ldap_accounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/ldap_filter.h"
#include "backends/ldap_groups.h"
#include "base/random.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using Attributes = std::vector<std::pair<std::string, std::vector<std::string>>>;

// An entry of alice's, changed by `csn`, with more attributes or others.
LdapEntry Entry(const std::string& csn, Attributes attributes = {}, const std::string& uid = "Alice") {
  LdapEntry entry = {.dn = absl::StrCat("uid=", uid, ",ou=people"), .attributes = std::move(attributes)};
  entry.attributes.emplace_back("uid", std::vector<std::string>{uid});
  entry.attributes.emplace_back("entryCSN", std::vector<std::string>{csn});
  return entry;
}

class LdapAccountsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    accounts_.BeginRefresh();
    accounts_.EndRefresh();
    EXPECT_TRUE(accounts_.TakeChanged().everything);
  }

  std::vector<std::string> Put(const LdapEntry& entry, const std::string& uuid = "1") {
    accounts_.Put(SyncUuidOf(uuid), entry);
    return accounts_.TakeChanged().names;
  }

  SystemRandomness randomness_;
  Fingerprinter fingerprinter_{randomness_};
  LdapAccounts accounts_{{.username = "uid", .groups = "memberOf", .attributes = {"mail"}},
                         "(&(active=TRUE)(|(uid={username})(mail={username})))",
                         fingerprinter_};
};

constexpr char kCsn1[] = "20261124204400.000001Z#000000#000#000000";
constexpr char kCsn2[] = "20261124204430.000002Z#000000#000#000000";
constexpr char kCsn3[] = "20261124204431.500000Z#000000#000#000000";

TEST_F(LdapAccountsTest, WhoIsNewGoneOrRenamedIsTold) {
  EXPECT_THAT(Put(Entry(kCsn1)), ElementsAre("alice"));
  EXPECT_THAT(Put(Entry(kCsn1)), IsEmpty());
  EXPECT_THAT(Put(Entry(kCsn2, {}, "alicia")), UnorderedElementsAre("alice", "alicia"));
  accounts_.Remove(SyncUuidOf("1"));
  EXPECT_THAT(accounts_.TakeChanged().names, ElementsAre("alicia"));
  accounts_.Remove(SyncUuidOf("1"));
  EXPECT_THAT(accounts_.TakeChanged().names, IsEmpty());
}

TEST_F(LdapAccountsTest, WhatTheFilterTheIdentityAndTheStateRestOnIsTold) {
  Put(Entry(kCsn1, {{"pwdFailureTime", {"20261124204400Z"}}}));
  for (const Attributes& change : {Attributes{{"active", {"FALSE"}}},
                                   {{"mail", {"a@x"}}},
                                   {{"memberOf", {"cn=staff"}}},
                                   {{"pwdAccountLockedTime", {"000001010000Z"}}},
                                   {{"pwdChangedTime", {"20261124204430Z"}}},
                                   {{"nsAccountLock", {"true"}}}}) {
    // Also while binds leave their marks.
    EXPECT_THAT(Put(Entry(kCsn2, change)), ::testing::Contains("alice")) << change.front().first;
    EXPECT_THAT(Put(Entry(kCsn1, {{"pwdFailureTime", {"20261124204400Z"}}})), ::testing::Contains("alice"));
  }
}

TEST_F(LdapAccountsTest, TheOrderOfAttributesAndValuesMakesNoDifference) {
  Put(Entry(kCsn1, {{"memberOf", {"cn=a", "cn=b"}}, {"mail", {"a@x"}}}));
  EXPECT_THAT(Put(Entry(kCsn1, {{"mail", {"a@x"}}, {"memberOf", {"cn=b", "cn=a"}}})), IsEmpty());
}

TEST_F(LdapAccountsTest, APasswordThatIsShownDecides) {
  Put(Entry(kCsn1, {{"userPassword", {"{SSHA}1"}}}));
  EXPECT_THAT(Put(Entry(kCsn2, {{"userPassword", {"{SSHA}1"}}})), IsEmpty()) << "something else changed";
  EXPECT_THAT(Put(Entry(kCsn2, {{"userPassword", {"{SSHA}2"}}})), ElementsAre("alice"));
}

TEST_F(LdapAccountsTest, InActiveDirectoryTheTimeOfThePasswordDecides) {
  // No entryCSN; what a bind changes there (lastLogon, badPwdCount) is not asked for, nor is uSNChanged ours.
  const auto entry = [](Attributes attributes) {
    attributes.emplace_back("uid", std::vector<std::string>{"alice"});
    return LdapEntry{.dn = "<GUID=1>;CN=alice", .attributes = std::move(attributes)};
  };
  Put(entry({{"pwdLastSet", {"134403715358980400"}}, {"uSNChanged", {"1"}}}));
  EXPECT_THAT(Put(entry({{"pwdLastSet", {"134403715358980400"}}, {"uSNChanged", {"2"}}})), IsEmpty());
  EXPECT_THAT(Put(entry({{"pwdLastSet", {"134403715358980401"}}})), ElementsAre("alice"));
  for (const Attributes& change : {Attributes{{"userAccountControl", {"514"}}},
                                   {{"lockoutTime", {"134403715358980401"}}},
                                   {{"accountExpires", {"134403715358980401"}}},
                                   {{"memberOf;range=0-1499", {"<GUID=2>;CN=staff"}}}}) {
    Attributes with_password = change;
    with_password.emplace_back("pwdLastSet", std::vector<std::string>{"134403715358980401"});
    EXPECT_THAT(Put(entry(with_password)), ElementsAre("alice")) << change.front().first;
  }
}

TEST_F(LdapAccountsTest, OnlyWhoCanLogOnIsReadFromActiveDirectory) {
  EXPECT_EQ(accounts_.filter(), "(|(uid=*)(uid=*)(mail=*))");
}

TEST_F(LdapAccountsTest, WhereThePasswordIsNotShownAnyOtherChangeMayBeIts) {
  Put(Entry(kCsn1));
  EXPECT_THAT(Put(Entry(kCsn2)), ElementsAre("alice"));
}

TEST_F(LdapAccountsTest, AWrongPasswordIsNoChange) {
  Put(Entry(kCsn1));
  EXPECT_THAT(Put(Entry(kCsn2, {{"pwdFailureTime", {"1"}}})), IsEmpty());
  EXPECT_THAT(Put(Entry(kCsn3, {{"pwdFailureTime", {"1", "2"}}})), IsEmpty());
  EXPECT_THAT(Put(Entry(kCsn1)), IsEmpty()) << "a right one after it";
  EXPECT_THAT(Put(Entry(kCsn2, {{"pwdFailureTime", {"1"}}, {"pwdAccountLockedTime", {"1"}}})), ElementsAre("alice"));
}

TEST_F(LdapAccountsTest, ASecondChangeOfThePasswordWithinTheSameSecondIsTold) {
  const std::vector<std::string> changed = {"20261124204430Z"};
  Put(Entry(kCsn1));
  EXPECT_THAT(Put(Entry(kCsn2, {{"pwdChangedTime", changed}})), ElementsAre("alice"));
  // A failure between the two, whose mark the second change takes away.
  EXPECT_THAT(Put(Entry(kCsn2, {{"pwdChangedTime", changed}, {"pwdFailureTime", {"1"}}})), IsEmpty());
  EXPECT_THAT(Put(Entry(kCsn3, {{"pwdChangedTime", changed}})), ElementsAre("alice"));
}

TEST_F(LdapAccountsTest, WhatARefreshFindsIsTold) {
  Put(Entry(kCsn1), "1");
  Put(Entry(kCsn1, {}, "bob"), "2");
  Put(Entry(kCsn1, {}, "carol"), "3");
  Put(Entry(kCsn1, {}, "dave"), "4");
  accounts_.BeginRefresh();
  accounts_.Put(SyncUuidOf("1"), Entry(kCsn1));
  accounts_.Put(SyncUuidOf("2"), Entry(kCsn2, {{"pwdFailureTime", {"1"}}}, "bob"));  // it may hide another change
  accounts_.Keep(SyncUuidOf("3"));
  EXPECT_THAT(accounts_.TakeChanged().names, ElementsAre("bob"));
  accounts_.RemoveUnlisted();
  accounts_.EndRefresh();
  EXPECT_THAT(accounts_.TakeChanged().names, ElementsAre("dave"));
  EXPECT_EQ(accounts_.size(), 3U);
}

TEST_F(LdapAccountsTest, ARefreshThatWasCutLosesNothing) {
  Put(Entry(kCsn1), "1");
  Put(Entry(kCsn1, {}, "bob"), "2");
  accounts_.BeginRefresh();
  accounts_.Put(SyncUuidOf("1"), Entry(kCsn2));
  accounts_.BeginRefresh();
  accounts_.Put(SyncUuidOf("1"), Entry(kCsn2));
  accounts_.RemoveUnlisted();
  accounts_.EndRefresh();
  EXPECT_THAT(accounts_.TakeChanged().names, UnorderedElementsAre("alice", "bob"));
}

TEST_F(LdapAccountsTest, NamesThatFindTheEntryAreToldWhenTheyAreNew) {
  EXPECT_THAT(Put(Entry(kCsn1, {{"mail", {"Alice@X"}}})), UnorderedElementsAre("alice", "alice@x"));
  EXPECT_THAT(Put(Entry(kCsn2, {{"mail", {"Alice@X"}}})), ElementsAre("alice"));
  EXPECT_THAT(Put(Entry(kCsn2, {{"mail", {"a.smith@x"}}})), UnorderedElementsAre("alice", "a.smith@x"));
}

TEST_F(LdapAccountsTest, OfSeveralCanonicalNamesItIsTheLeast) {
  LdapEntry entry = {.dn = "cn=x", .attributes = {{"uid", {"smith", "Alice"}}}};
  EXPECT_THAT(Put(entry), ::testing::Contains("alice"));
}

TEST_F(LdapAccountsTest, AnEntryWithoutTheCanonicalNameGoesByThoseThatFindIt) {
  const LdapEntry entry = {.dn = "cn=x", .attributes = {{"mail", {"a@x", "b@x"}}}};
  EXPECT_THAT(Put(entry), UnorderedElementsAre("a@x", "b@x"));
  EXPECT_THAT(Put({.dn = "ou=people"}, "2"), IsEmpty());
  EXPECT_EQ(accounts_.size(), 1U) << "nobody logs on as an organisational unit";
}

TEST_F(LdapAccountsTest, VeryManyAreToldAsEverything) {
  for (int i = 0; i <= 10'000; ++i)
    accounts_.Put(SyncUuidOf(absl::StrCat(i)), Entry(kCsn1, {}, absl::StrCat("user", i)));
  const ChangedAccounts changed = accounts_.TakeChanged();
  EXPECT_TRUE(changed.everything);
  EXPECT_THAT(changed.names, IsEmpty());
}

TEST_F(LdapAccountsTest, MembersOfAGroupThatChangedAreFoundHoweverTheirNamesAreWritten) {
  Put(Entry(kCsn1), "1");
  Put(Entry(kCsn1, {}, "bob"), "2");
  LdapGroups groups;
  groups.BeginRefresh();
  groups.Put(SyncUuidOf("g"), {.dn = "cn=staff", .attributes = {{"member", {"UID=alice, ou=People"}}}});
  groups.EndRefresh();
  EXPECT_THAT(groups.TakeChanged().dns, IsEmpty());
  const auto changed = [&] {
    accounts_.MarkChanged(groups.TakeChanged().dns);
    return accounts_.TakeChanged().names;
  };
  groups.Put(SyncUuidOf("g"),
             {.dn = "cn=staff", .attributes = {{"member", {"uid=Alice,ou=people", "uid=bob,ou=people"}}}});
  EXPECT_THAT(changed(), ElementsAre("bob"));
  groups.Put(SyncUuidOf("g"),
             {.dn = "cn=crew", .attributes = {{"member", {"uid=alice,ou=people", "uid=bob,ou=people"}}}});
  EXPECT_THAT(changed(), UnorderedElementsAre("alice", "bob"));
  groups.Put(SyncUuidOf("g"), {.dn = "cn=crew", .attributes = {{"uniqueMember", {"uid=bob,ou=people"}}}});
  EXPECT_THAT(changed(), ElementsAre("alice"));
  groups.Remove(SyncUuidOf("g"));
  EXPECT_THAT(changed(), ElementsAre("bob"));
  groups.BeginRefresh();
  groups.Put(SyncUuidOf("h"), {.dn = "cn=h", .attributes = {{"member", {"uid=alice,ou=people"}}}});
  EXPECT_THAT(changed(), ElementsAre("alice"));
  groups.RemoveUnlisted();
  groups.EndRefresh();
  EXPECT_THAT(changed(), IsEmpty());
}

TEST(LdapFilterTest, SaysWhatItLooksAtAndWhereTheNameGoes) {
  const auto all = [](absl::string_view filter) { return AttributesOf(filter).all; };
  const auto names = [](absl::string_view filter) { return AttributesOf(filter).names; };
  EXPECT_THAT(all("(uid={username})"), ElementsAre("uid"));
  EXPECT_THAT(all("(&(objectClass=person)(|(uid={username})(mail={username}))(!(gone=*)))"),
              ElementsAre("objectClass", "uid", "mail", "gone"));
  EXPECT_THAT(names("(&(objectClass=person)(|(uid={username})( mail = {username} ))(!(gone=*)))"),
              ElementsAre("uid", "mail"));
  EXPECT_THAT(all("(&(age>=7)(x~=a)(cn:dn:2.4.6:={username})(:dn:1.2:=b))"), ElementsAre("age", "x", "cn"));
  EXPECT_THAT(names("(|(cn:caseExactMatch:={username})(mail={username}@x)(a>={username}))"), IsEmpty());
  EXPECT_THAT(all("uid={username}"), IsEmpty());
}

}  // namespace
}  // namespace credcache
