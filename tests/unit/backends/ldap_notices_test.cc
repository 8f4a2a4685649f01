#include "backends/ldap_notices.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/ldap_paged_values.h"

namespace credcache {
namespace {

// Writes down what it is told.
class RecordingContent final : public LdapSyncedContent {
 public:
  void BeginRefresh() override { log += "<"; }
  void Put(const SyncUuid& uuid, const LdapEntry& /*entry*/) override { Write("+", uuid); }
  void Keep(const SyncUuid& uuid) override { Write("=", uuid); }
  void Remove(const SyncUuid& uuid) override { Write("-", uuid); }
  void RemoveUnlisted() override { log += "!"; }
  void EndRefresh() override { log += ">"; }

  std::string Take() { return std::exchange(log, ""); }
  std::string log;

 private:
  void Write(absl::string_view what, const SyncUuid& uuid) {
    absl::StrAppend(&log, what, absl::string_view(uuid.data(), 1));
  }
};

using Attributes = std::vector<std::pair<std::string, std::vector<std::string>>>;

LdapEntry Entry(char guid, const std::string& dn, Attributes attributes = {}) {
  LdapEntry entry = {.dn = absl::StrCat("<GUID=", std::string(1, guid), ">;<SID=01>;", dn),
                     .attributes = std::move(attributes)};
  entry.attributes.emplace_back("objectGUID", std::vector<std::string>{std::string(16, guid)});
  return entry;
}
LdapEntry Person(char guid, const std::string& where = "OU=People,DC=x") {
  return Entry(guid, absl::StrCat("CN=somebody,", where), {{"objectClass", {"top", "user"}}});
}
LdapEntry Group(char guid, const std::string& members = "member") {
  return Entry(guid, "CN=staff,OU=Groups,DC=x", {{members, {"CN=a"}}});
}
LdapEntry Deleted(char guid) { return Entry(guid, "CN=a\\0ADEL:1,CN=Deleted Objects,DC=x", {{"isDeleted", {"TRUE"}}}); }

class LdapNoticesTest : public ::testing::Test {
 protected:
  LdapNoticesTest() { notices_.Begin(); }

  RecordingContent accounts_;
  RecordingContent groups_;
  LdapNotices notices_{"ou=people,dc=x", accounts_, &groups_};
};

TEST_F(LdapNoticesTest, AReadingListsAllThereIs) {
  notices_.BeginReading(LdapNotices::Reading::kWhole);
  EXPECT_TRUE(notices_.reading());
  notices_.TakeRead(Person('a'));
  notices_.TakeRead(Group('g'));
  notices_.EndReading();
  EXPECT_FALSE(notices_.reading());
  EXPECT_EQ(accounts_.log, "<+a-g!>");
  EXPECT_EQ(groups_.log, "<-a+g!>");
}

TEST_F(LdapNoticesTest, NoticesTellOfChangesOneByOne) {
  notices_.TakeNotice(Person('a'));
  notices_.TakeNotice(Group('g'));
  notices_.TakeNotice(Group('h', "member;range=0-1499"));
  EXPECT_EQ(accounts_.Take(), "+a-g-h");
  EXPECT_EQ(groups_.Take(), "-a+g+h");
  EXPECT_FALSE(notices_.sees_deletions());
  notices_.TakeNotice(Deleted('a'));
  EXPECT_EQ(accounts_.Take(), "-a");
  EXPECT_EQ(groups_.Take(), "-a");
  EXPECT_TRUE(notices_.sees_deletions());
}

TEST_F(LdapNoticesTest, WhoIsMovedElsewhereIsGoneAndMayComeBack) {
  notices_.TakeNotice(Person('a', "OU=Former,DC=x"));
  EXPECT_EQ(accounts_.Take(), "-a");
  notices_.TakeNotice(Person('a', "OU=Sub,OU=PEOPLE,DC=X"));
  EXPECT_EQ(accounts_.Take(), "+a");
}

TEST_F(LdapNoticesTest, WhatIsReadIsNoNewerThanTheNoticesThatCameMeanwhile) {
  notices_.BeginReading(LdapNotices::Reading::kWhole);
  notices_.TakeNotice(Person('a'));
  notices_.TakeNotice(Deleted('b'));
  notices_.TakeRead(Person('a'));
  notices_.TakeRead(Person('b'));
  notices_.TakeRead(Person('c'));
  notices_.EndReading();
  EXPECT_EQ(accounts_.Take(), "<+a-b+c!>");
  // In the next one, it is.
  notices_.BeginReading(LdapNotices::Reading::kWhole);
  notices_.TakeRead(Person('a'));
  EXPECT_EQ(accounts_.Take(), "<+a");
}

TEST_F(LdapNoticesTest, ARollCallSaysOnlyWhoIsStillThere) {
  notices_.BeginReading(LdapNotices::Reading::kRollCall);
  notices_.TakeRead(Entry('a', ""));
  notices_.TakeNotice(Person('b'));
  notices_.TakeRead(Entry('b', ""));
  notices_.EndReading();
  EXPECT_EQ(accounts_.log, "<=a+b!>");
  EXPECT_EQ(groups_.log, "<=a-b!>");
}

TEST_F(LdapNoticesTest, AContainerThatChangedMayHaveMovedAllBelowIt) {
  for (const char* kind : {"organizationalUnit", "container"}) {
    notices_.TakeNotice(Entry('o', "OU=Sub,DC=x", {{"objectClass", {"top", kind}}}));
    EXPECT_TRUE(notices_.outdated()) << kind;
    notices_.BeginReading(LdapNotices::Reading::kRollCall);
    EXPECT_TRUE(notices_.outdated()) << "a roll call does not say where things are";
    notices_.EndReading();
    notices_.BeginReading(LdapNotices::Reading::kWhole);
    EXPECT_FALSE(notices_.outdated());
    notices_.TakeNotice(Entry('o', "OU=Sub,DC=x", {{"objectClass", {"top", kind}}}));
    EXPECT_TRUE(notices_.outdated()) << "what was read already may be elsewhere now";
    notices_.Begin();
    EXPECT_FALSE(notices_.outdated()) << "everything will be read";
  }
}

TEST_F(LdapNoticesTest, AnEntryWithoutAnIdIsPassedOver) {
  notices_.TakeNotice({.dn = "CN=a,OU=people,DC=x"});
  notices_.TakeNotice({.dn = "CN=a,OU=people,DC=x", .attributes = {{"objectGUID", {"short"}}}});
  EXPECT_EQ(accounts_.log, "");
}

TEST_F(LdapNoticesTest, GroupsNeedNotBeOfInterest) {
  LdapNotices notices("ou=people,dc=x", accounts_, nullptr);
  notices.BeginReading(LdapNotices::Reading::kWhole);
  notices.TakeRead(Group('g'));
  notices.TakeNotice(Deleted('g'));
  notices.EndReading();
  EXPECT_EQ(accounts_.log, "<-g-g!>");
}

TEST(LdapPagedValuesTest, AreAsTheRfcHasThem) {
  EXPECT_EQ(PagedRequestValue(1000, ""), std::string("\x30\x06\x02\x02\x03\xe8\x04\x00", 8));
  EXPECT_EQ(PagedRequestValue(1, "ab"), std::string("\x30\x07\x02\x01\x01\x04\x02"
                                                    "ab"));
  EXPECT_EQ(*ParsePagedCookie(std::string("\x30\x07\x02\x01\x00\x04\x02"
                                          "ab",
                                          9)),
            "ab");
  EXPECT_EQ(*ParsePagedCookie(std::string("\x30\x05\x02\x01\x00\x04\x00", 7)), "");
  for (const std::string& bad : {std::string(), std::string("\x30"), std::string("\x30\x03\x02\x01\x00", 5),
                                 std::string("\x04\x02"
                                             "ab")}) {
    EXPECT_FALSE(ParsePagedCookie(bad).ok());
  }
}

}  // namespace
}  // namespace credcache
