#include "backends/ldap_sync.h"

#include <gtest/gtest.h>
#include <ldap.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/ldap_sync_values.h"

namespace credcache {
namespace {

std::string Uuid(char c) { return std::string(16, c); }

std::string Octets(absl::string_view bytes) {
  return absl::StrCat(std::string("\x04") + static_cast<char>(bytes.size()), bytes);
}

std::string Tagged(unsigned char tag, absl::string_view content) {
  return absl::StrCat(std::string(1, static_cast<char>(tag)) + static_cast<char>(content.size()), content);
}

std::string Boolean(bool value) { return std::string("\x01\x01", 2) + (value ? '\xff' : '\0'); }

LdapEvent Entry(int state, char uuid, absl::string_view cookie = "") {
  std::string content = std::string("\x0a\x01", 2) + static_cast<char>(state) + Octets(Uuid(uuid));
  if (!cookie.empty()) content += Octets(cookie);
  return {.kind = LdapEvent::Kind::kEntry, .value = Tagged(0x30, content)};
}

LdapEvent Info(const std::string& value) {
  return {.kind = LdapEvent::Kind::kIntermediate, .oid = LDAP_SYNC_INFO, .value = value};
}
LdapEvent RefreshDelete(absl::string_view cookie, bool done = true) {
  return Info(Tagged(0xa1, Octets(cookie) + (done ? "" : Boolean(false))));
}
LdapEvent RefreshPresent(absl::string_view cookie, bool done = true) {
  return Info(Tagged(0xa2, Octets(cookie) + (done ? "" : Boolean(false))));
}
LdapEvent IdSet(bool deletes, char uuid) {
  return Info(Tagged(0xa3, (deletes ? Boolean(true) : "") + Tagged(0x31, Octets(Uuid(uuid)))));
}
LdapEvent Result(int code) { return {.kind = LdapEvent::Kind::kResult, .code = code}; }

// Writes down what it is told.
class RecordingContent final : public LdapSyncedContent {
 public:
  void BeginRefresh() override { log += "<"; }
  void Put(const SyncUuid& uuid, const LdapEntry& /*entry*/) override {
    log += absl::StrCat("+", absl::string_view(uuid.data(), 1));
  }
  void Keep(const SyncUuid& uuid) override { log += absl::StrCat("=", absl::string_view(uuid.data(), 1)); }
  void Remove(const SyncUuid& uuid) override { log += absl::StrCat("-", absl::string_view(uuid.data(), 1)); }
  void RemoveUnlisted() override { log += "!"; }
  void EndRefresh() override { log += ">"; }

  std::string log;
};

class LdapSyncTest : public ::testing::Test {
 protected:
  // What the content heard of it.
  std::string Run(const std::vector<LdapEvent>& events, absl::string_view server = "ldap://a") {
    content_.log.clear();
    cookie_sent_ = sync_.Begin(server) != SyncRequestValue("");
    for (const LdapEvent& event : events) status_ = sync_.Take(event);
    return content_.log;
  }

  RecordingContent content_;
  LdapSync sync_{content_};
  bool cookie_sent_ = false;
  absl::Status status_;
};

TEST_F(LdapSyncTest, TheFirstRefreshListsEverythingWhateverTheServerCallsIt) {
  EXPECT_EQ(Run({Entry(LDAP_SYNC_ADD, 'a'), Entry(LDAP_SYNC_ADD, 'b'), RefreshDelete("c1")}), "<+a+b!>");
  EXPECT_FALSE(cookie_sent_);
  EXPECT_TRUE(sync_.refreshed());
}

TEST_F(LdapSyncTest, ChangesComeOneByOneAfterIt) {
  EXPECT_EQ(
      Run({RefreshDelete("c1"), Entry(LDAP_SYNC_MODIFY, 'a'), Entry(LDAP_SYNC_DELETE, 'b', "c2"), IdSet(true, 'c'),
           Info("\x80\x02"
                "c3")}),
      "<!>+a-b-c");
}

TEST_F(LdapSyncTest, WithACookieOnlyWhatChangedComes) {
  Run({RefreshDelete("c1")});
  EXPECT_EQ(Run({IdSet(true, 'a'), Entry(LDAP_SYNC_ADD, 'b'), RefreshDelete("c2")}), "<-a+b>");
  EXPECT_TRUE(cookie_sent_);
}

TEST_F(LdapSyncTest, WhereTheServerNamesWhatIsStillThereTheRestIsGone) {
  Run({RefreshDelete("c1")});
  EXPECT_EQ(Run({IdSet(false, 'a'), Entry(LDAP_SYNC_PRESENT, 'b'), Entry(LDAP_SYNC_ADD, 'c'), RefreshPresent("c2")}),
            "<=a=b+c!>");
  // The present phase may be followed by one of deletes.
  EXPECT_EQ(Run({IdSet(false, 'a'), RefreshPresent("c2", false), IdSet(true, 'b'), RefreshDelete("c3")}), "<=a!-b>");
}

TEST_F(LdapSyncTest, ACookieFromTheMiddleOfARefreshThatWasCutIsForgotten) {
  Run({RefreshDelete("c1")});
  EXPECT_EQ(Run({Entry(LDAP_SYNC_ADD, 'a', "c2")}), "<+a");
  EXPECT_FALSE(sync_.refreshed());
  content_.log.clear();
  EXPECT_EQ(sync_.Begin("ldap://a"), SyncRequestValue("c1"));
}

TEST_F(LdapSyncTest, EachChangeMovesTheCookieOn) {
  Run({RefreshDelete("c1"), Entry(LDAP_SYNC_MODIFY, 'a', "c2")});
  EXPECT_EQ(sync_.Begin("ldap://a"), SyncRequestValue("c2"));
}

TEST_F(LdapSyncTest, AnotherServerIsAskedForEverything) {
  Run({RefreshDelete("c1")});
  EXPECT_EQ(Run({RefreshDelete("c1")}, "ldap://b"), "<!>");
  EXPECT_FALSE(cookie_sent_);
}

TEST_F(LdapSyncTest, AServerThatCannotGoOnFromTheCookieIsAskedForEverything) {
  for (const int code : {LDAP_SYNC_REFRESH_REQUIRED, LDAP_UNWILLING_TO_PERFORM}) {
    Run({RefreshDelete("c1")});
    Run({Result(code)});
    EXPECT_TRUE(cookie_sent_);
    EXPECT_FALSE(status_.ok());
    Run({RefreshDelete("c1")});
    EXPECT_FALSE(cookie_sent_);
  }
}

TEST_F(LdapSyncTest, TheEndOfTheSearchSaysWhatToDo) {
  Run({Result(LDAP_SIZELIMIT_EXCEEDED)});
  EXPECT_TRUE(absl::StrContains(status_.message(), "size=unlimited")) << status_;
  Run({Result(LDAP_UNAVAILABLE_CRITICAL_EXTENSION)});
  EXPECT_TRUE(absl::StrContains(status_.message(), "overlay syncprov")) << status_;
}

TEST_F(LdapSyncTest, WhatIsMalformedEndsItAndIsNotGoneOnFrom) {
  const LdapEvent stateless = {.kind = LdapEvent::Kind::kEntry};
  const LdapEvent short_uuid = {.kind = LdapEvent::Kind::kEntry,
                                .value = Tagged(0x30, std::string("\x0a\x01\x01", 3) + Octets("short"))};
  for (const LdapEvent& bad :
       {stateless, short_uuid, Entry(7, 'a'), Info(""), Info("\xa1\x05"), Info(Tagged(0xa4, ""))}) {
    Run({RefreshDelete("c1")});
    Run({bad});
    EXPECT_FALSE(status_.ok());
    Run({RefreshDelete("c1")});
    EXPECT_FALSE(cookie_sent_);
  }
}

TEST(LdapSyncValuesTest, TheRequestIsAsTheRfcHasIt) {
  EXPECT_EQ(absl::BytesToHexString(SyncRequestValue("")),
            "3006"
            "0a0103"
            "010100");
  EXPECT_EQ(absl::BytesToHexString(SyncRequestValue("ab")),
            "300a"
            "0a0103"
            "04026162"
            "010100");
}

}  // namespace
}  // namespace credcache
