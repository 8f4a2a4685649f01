#include "backends/ldap_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// As Active Directory writes it with extended DNs; the GUID is the name's own, whatever the DN is.
std::string Extended(const std::string& name, const std::string& dn = "") {
  return absl::StrCat("<GUID=", name, ">;<SID=0105>;", dn.empty() ? absl::StrCat("CN=", name) : dn);
}

class LdapGroupsTest : public ::testing::Test {
 protected:
  explicit LdapGroupsTest(Nesting nesting = Nesting::kNone) : groups_(nesting) {}

  void SetUp() override {
    groups_.BeginRefresh();
    groups_.EndRefresh();
  }

  void Put(const std::string& name, const std::vector<std::string>& members, const std::string& dn = "") {
    LdapEntry entry = {.dn = Extended(name, dn), .attributes = {{"member", {}}, {"uSNChanged", {"7"}}}};
    for (const std::string& member : members) entry.attributes.front().second.push_back(Extended(member));
    groups_.Put(SyncUuidOf(name), entry);
  }
  // Of these, whose groups changed.
  std::vector<std::string> Changed() {
    const LdapGroups::Changed changed = groups_.TakeChanged();
    EXPECT_FALSE(changed.everything);
    std::vector<std::string> names;
    for (const char* name : {"alice", "bob", "carol", "inner", "outer"}) {
      if (std::find(changed.dns.begin(), changed.dns.end(), LdapGroups::HashOf(Extended(name))) != changed.dns.end()) {
        names.emplace_back(name);
      }
    }
    return names;
  }

  LdapGroups groups_;
};

class NestedLdapGroupsTest : public LdapGroupsTest {
 protected:
  NestedLdapGroupsTest() : LdapGroupsTest(Nesting::kCounts) {}

  void SetUp() override {
    LdapGroupsTest::SetUp();
    Put("inner", {"alice", "bob"});
    Put("outer", {"inner", "carol"});
    groups_.TakeChanged();
  }
};

TEST_F(LdapGroupsTest, AMemberIsKnownByItsGuidWhateverItIsCalled) {
  Put("staff", {"alice"});
  EXPECT_THAT(Changed(), UnorderedElementsAre("alice"));
  groups_.Put(SyncUuidOf("staff"),
              {.dn = Extended("staff"), .attributes = {{"member", {Extended("alice", "CN=alicia")}}}});
  EXPECT_THAT(Changed(), IsEmpty());
  groups_.Put(SyncUuidOf("staff"), {.dn = Extended("staff")});
  EXPECT_THAT(Changed(), UnorderedElementsAre("alice"));
}

TEST_F(LdapGroupsTest, AGroupWithAnotherNameIsAnotherToItsMembers) {
  Put("staff", {"alice"});
  groups_.TakeChanged();
  Put("staff", {"alice"}, "CN=crew");
  EXPECT_THAT(Changed(), UnorderedElementsAre("alice"));
}

TEST_F(LdapGroupsTest, WithoutNestingAGroupInAGroupIsNobody) {
  Put("inner", {"alice"});
  groups_.TakeChanged();
  Put("outer", {"inner"});
  EXPECT_THAT(Changed(), UnorderedElementsAre("inner"));
}

TEST_F(LdapGroupsTest, WhatElseIsInTheEntryIsNoMember) {
  groups_.Put(SyncUuidOf("staff"),
              {.dn = "cn=staff", .attributes = {{"memberOf", {"CN=alice"}}, {"uSNChanged", {"1"}}}});
  EXPECT_THAT(groups_.TakeChanged().dns, IsEmpty());
}

TEST_F(NestedLdapGroupsTest, WhoeverIsInAGroupIsInThoseThatHoldIt) {
  Put("outer", {"carol"});
  EXPECT_THAT(Changed(), UnorderedElementsAre("alice", "bob", "inner"));
  Put("outer", {"carol", "inner"});
  EXPECT_THAT(Changed(), UnorderedElementsAre("alice", "bob", "inner"));
}

TEST_F(NestedLdapGroupsTest, OnlyWhoIsBelowTheChangeIsTold) {
  Put("inner", {"alice"});
  EXPECT_THAT(Changed(), UnorderedElementsAre("bob"));
}

TEST_F(NestedLdapGroupsTest, AllChangesOfOneRefreshAreFoundWhateverTheirOrder) {
  groups_.BeginRefresh();
  Put("outer", {"carol"});
  Put("inner", {"alice"});
  groups_.RemoveUnlisted();
  groups_.EndRefresh();
  EXPECT_THAT(Changed(), UnorderedElementsAre("alice", "bob", "inner"));
}

TEST_F(NestedLdapGroupsTest, AGroupThatIsGoneTellsAllBelow) {
  groups_.Remove(SyncUuidOf("outer"));
  EXPECT_THAT(Changed(), UnorderedElementsAre("alice", "bob", "carol", "inner"));
}

TEST_F(NestedLdapGroupsTest, GroupsMayHoldEachOther) {
  Put("inner", {"alice", "outer"});
  EXPECT_THAT(Changed(), UnorderedElementsAre("alice", "bob", "carol", "inner", "outer"));
  groups_.TakeChanged();
  Put("outer", {"inner"});
  EXPECT_THAT(Changed(), UnorderedElementsAre("carol"));
}

TEST_F(NestedLdapGroupsTest, OfAGroupWithMoreMembersThanAreToldAnyChangeIsEverybodys) {
  const auto put = [this](const std::string& version) {
    groups_.Put(
        SyncUuidOf("all"),
        {.dn = Extended("all"),
         .attributes = {{"member", {}}, {"member;range=0-1499", {Extended("alice")}}, {"uSNChanged", {version}}}});
  };
  put("7");
  EXPECT_TRUE(groups_.TakeChanged().everything);
  put("7");
  EXPECT_FALSE(groups_.TakeChanged().everything);
  put("8");
  EXPECT_TRUE(groups_.TakeChanged().everything);
  Put("outer", {"inner", "carol", "all"});
  EXPECT_TRUE(groups_.TakeChanged().everything) << "those who are in it are below";
  groups_.Remove(SyncUuidOf("all"));
  EXPECT_TRUE(groups_.TakeChanged().everything);
}

}  // namespace
}  // namespace credcache
