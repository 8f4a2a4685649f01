#include "backends/kerberos_kdcs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "backends/kerberos_context.h"
#include "backends/kerberos_profile.h"
#include "backends/recording_reporter.h"
#include "base/fake_clock.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class KerberosKdcsTest : public ::testing::Test {
 protected:
  ~KerberosKdcsTest() override { std::remove(file_.c_str()); }

  void Write(const std::string& text) { std::ofstream(file_, std::ios::trunc) << text; }

  // Of this process: others run the other tests at the same time.
  const std::string file_ = testing::TempDir() + "/kerberos_kdcs_test." + std::to_string(getpid()) + ".conf";
  FakeClock clock_;
  RecordingReporter reporter_;
};

TEST_F(KerberosKdcsTest, AddressesAsKrb5ConfWritesThem) {
  const auto is = [](const char* written, const std::string& address) {
    const auto parsed = ParseKdc(written);
    return parsed.ok() ? parsed->ToString() == address : address.empty();
  };
  EXPECT_TRUE(is("kdc1.corp.example", "kdc1.corp.example:88"));
  EXPECT_TRUE(is("kdc1:750", "kdc1:750"));
  EXPECT_TRUE(is("tcp/kdc1:750", "kdc1:750"));
  EXPECT_TRUE(is("10.0.0.1", "10.0.0.1:88"));
  EXPECT_TRUE(is("[::1]", "[::1]:88"));
  EXPECT_TRUE(is("[2001:db8::1]:750", "[2001:db8::1]:750"));
  for (const char* bad : {"", ":88", "kdc1:", "kdc1:0", "kdc1:65536", "kdc1:x", "[::1", "[]:88", "[::1]:", "[::1]88",
                          "udp/kdc1", "https://kdc1/KdcProxy", "a b", "kdc1:88:99"}) {
    EXPECT_TRUE(is(bad, "")) << bad;
  }
}

TEST_F(KerberosKdcsTest, ReadsThemWhenTheyAreThere) {
  KerberosKdcs kdcs(file_, "CORP.EXAMPLE", clock_, reporter_);
  Write("[realms]\n  OTHER = {\n    kdc = a\n  }\n");
  EXPECT_THAT(kdcs.Get().status().message(), HasSubstr("names no kdc in [realms] CORP.EXAMPLE"));
  Write("[realms]\n  CORP.EXAMPLE = {\n    kdc = udp/a\n  }\n");
  EXPECT_THAT(kdcs.Get().status().message(), HasSubstr("kdc = udp/a"));
  Write("[realms]\n  CORP.EXAMPLE = {\n    kdc = b:1\n    kdc = udp/a\n    kdc = c\n  }\n");
  const auto known = kdcs.Get();
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_THAT((*known)->addresses,
              ElementsAre(KdcAddress{.host = "b", .port = 1}, KdcAddress{.host = "c", .port = 88}));
  EXPECT_EQ((*known)->servers.url(0), "b:1");
  EXPECT_EQ(*kdcs.Get(), *known);
}

TEST_F(KerberosKdcsTest, SomeOfTheSettingsAreOurs) {
  Write(
      "[libdefaults]\n  kdc_timesync = 1\n  default_rcache_name = dfl:\n  ticket_lifetime = 1h\n  CORP.EXAMPLE = {\n"
      "    canonicalize = true\n  }\n");
  const auto profile = KerberosProfile::Open(file_);
  ASSERT_TRUE(profile.ok()) << profile.status();
  const auto get = [&](std::vector<const char*> names) {
    names.push_back(nullptr);
    char** found = nullptr;
    std::string first;
    if (profile_get_values((*profile)->get(), names.data(), &found) == 0) {
      first = found[0];
      profile_free_list(found);
    }
    return first;
  };
  EXPECT_EQ(get({"libdefaults", "kdc_timesync"}), "0");
  EXPECT_EQ(get({"libdefaults", "default_rcache_name"}), "none:");
  EXPECT_EQ(get({"libdefaults", "CORP.EXAMPLE", "canonicalize"}), "false");
  EXPECT_EQ(get({"libdefaults", "ticket_lifetime"}), "1h");
  EXPECT_EQ(get({"libdefaults", "clockskew"}), "");
  EXPECT_TRUE(KerberosContext::Open(file_).ok());
}

TEST_F(KerberosKdcsTest, AFileThatIsNotThereOrNoneIsTold) {
  EXPECT_THAT(KerberosContext::Open("/nowhere/krb5.conf").status().message(), HasSubstr("/nowhere/krb5.conf: "));
  Write("[realms\n");
  EXPECT_THAT(KerberosContext::Open(file_).status().message(), HasSubstr(file_));
}

TEST_F(KerberosKdcsTest, WordsOfAKdcAreOneSafeLine) {
  EXPECT_EQ(SafeText("no\n\x1b[31m such"), "no\\n\\x1b[31m such");
  EXPECT_LE(SafeText(std::string(10'000, 'x')).size(), 300U);
}

}  // namespace
}  // namespace credcache
