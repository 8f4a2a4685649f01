#include "backends/kerberos_ticket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "backends/kerberos_client.h"
#include "backends/kerberos_context.h"

// A KDC's part of libkrb5, which its header leaves out: to make tickets as one would.
extern "C" {
krb5_error_code krb5_encrypt_tkt_part(krb5_context context, const krb5_keyblock* key, krb5_ticket* ticket);
krb5_error_code encode_krb5_ticket(const krb5_ticket* ticket, krb5_data** encoded);
}

namespace credcache {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRealm = "CORP.EXAMPLE";
constexpr const char* kService = "host/mail.corp.example";
constexpr krb5_enctype kCipher = ENCTYPE_AES256_CTS_HMAC_SHA1_96;

// What a KDC puts into a ticket.
struct Made {
  std::string user = "alice";
  int key = 1;  // the keytab has key number 1
  krb5_flags flags = TKT_FLG_INITIAL;
  krb5_timestamp given_ago = 0;    // in seconds
  krb5_timestamp lasts = 600;      // from now
  bool other_session_key = false;  // than the one that the password opened
};

class KerberosTicketTest : public ::testing::Test {
 protected:
  KerberosTicketTest() {
    std::ofstream(conf_) << "[libdefaults]\n";
    context_ = *KerberosContext::Open(conf_);
    user_ = *UserPrincipal(*context_, kRealm, "alice");
    service_ = *ServicePrincipal(*context_, kRealm, kService);
    krb5_keytab keytab = nullptr;
    EXPECT_EQ(krb5_kt_resolve(raw(), ("WRFILE:" + keytab_).c_str(), &keytab), 0);
    krb5_keytab_entry entry = {};
    entry.principal = service_.get();
    entry.vno = 1;
    entry.key = Key(1);
    EXPECT_EQ(krb5_kt_add_entry(raw(), keytab, &entry), 0);
    krb5_free_keyblock_contents(raw(), &entry.key);
    krb5_kt_close(raw(), keytab);
  }

  ~KerberosTicketTest() override {
    std::remove(conf_.c_str());
    std::remove(keytab_.c_str());
  }

  krb5_context raw() const { return context_->get(); }

  // The same for the same number.
  krb5_keyblock Key(int number) const {
    std::string password = "key number " + std::to_string(number);
    const krb5_data text = {.length = static_cast<unsigned>(password.size()), .data = password.data()};
    const krb5_data salt = {.length = 0, .data = password.data()};
    krb5_keyblock key = {};
    EXPECT_EQ(krb5_c_string_to_key(raw(), kCipher, &text, &salt, &key), 0);
    return key;
  }

  // What the service makes of such a ticket, once a password has opened the KDC's answer for alice.
  absl::Status Verify(const Made& made) const {
    krb5_timestamp now = 0;
    krb5_timeofday(raw(), &now);
    krb5_keyblock session = Key(100);
    krb5_keyblock other = Key(101);
    krb5_keyblock key = Key(made.key);
    const KerberosPrincipal named = *UserPrincipal(*context_, kRealm, made.user);
    krb5_enc_tkt_part inside = {};
    inside.flags = made.flags;
    inside.session = made.other_session_key ? &other : &session;
    inside.client = named.get();
    inside.times = {.authtime = now - made.given_ago,
                    .starttime = now - made.given_ago,
                    .endtime = now + made.lasts,
                    .renew_till = 0};
    krb5_ticket ticket = {};
    ticket.server = service_.get();
    ticket.enc_part2 = &inside;
    EXPECT_EQ(krb5_encrypt_tkt_part(raw(), &key, &ticket), 0);
    ticket.enc_part.kvno = 1;
    krb5_data* encoded = nullptr;
    EXPECT_EQ(encode_krb5_ticket(&ticket, &encoded), 0);
    krb5_creds credentials = {};
    credentials.client = user_.get();
    credentials.server = service_.get();
    credentials.keyblock = session;
    credentials.times = {.authtime = now, .starttime = now, .endtime = now + 600, .renew_till = 0};
    credentials.ticket = *encoded;
    const auto keytab = OpenKeytab(*context_, keytab_, service_.get());
    EXPECT_TRUE(keytab.ok()) << keytab.status();
    absl::Status verified = VerifyTicket(*context_, keytab->get(), user_.get(), service_.get(), credentials);
    krb5_free_data_contents(raw(), &ticket.enc_part.ciphertext);
    krb5_free_data(raw(), encoded);
    for (krb5_keyblock* one : {&session, &other, &key}) krb5_free_keyblock_contents(raw(), one);
    return verified;
  }

  // Of this process: others run the other tests at the same time.
  const std::string files_ = testing::TempDir() + "/kerberos_ticket_test." + std::to_string(getpid());
  const std::string conf_ = files_ + ".conf";
  const std::string keytab_ = files_ + ".keytab";
  std::unique_ptr<KerberosContext> context_;
  KerberosPrincipal user_;
  KerberosPrincipal service_;
};

TEST_F(KerberosTicketTest, TheKdcsOwnIsGood) {
  EXPECT_EQ(Verify({}), absl::OkStatus());
  EXPECT_EQ(Verify({.flags = TKT_FLG_INITIAL | TKT_FLG_PRE_AUTH, .given_ago = 60}), absl::OkStatus());
}

TEST_F(KerberosTicketTest, WithoutTheServicesKeyNobodyIsTheKdc) {
  const absl::Status verified = Verify({.key = 2});
  EXPECT_TRUE(absl::IsUnavailable(verified));
  EXPECT_THAT(verified.message(), HasSubstr("not proved to be the KDC's"));
}

// What a user could pass off who plays the KDC with tickets of their own, or with others' that they saw.
TEST_F(KerberosTicketTest, ARealTicketOfAnotherOccasionIsRefused) {
  EXPECT_THAT(Verify({.flags = 0}).message(), HasSubstr("not given for a password"));
  EXPECT_THAT(Verify({.given_ago = 900}).message(), HasSubstr("not given just now"));
  EXPECT_FALSE(Verify({.given_ago = 7200, .lasts = -3600}).ok()) << "long over";
  EXPECT_FALSE(Verify({.user = "bob"}).ok()) << "another's";
  EXPECT_FALSE(Verify({.other_session_key = true}).ok()) << "one that was only seen";
}

TEST_F(KerberosTicketTest, AKeytabWithoutTheServiceIsTold) {
  const auto other = ServicePrincipal(*context_, kRealm, "host/other.corp.example");
  EXPECT_THAT(OpenKeytab(*context_, keytab_, other->get()).status().message(), HasSubstr(keytab_));
  EXPECT_THAT(OpenKeytab(*context_, "/nowhere/k.keytab", service_.get()).status().message(),
              HasSubstr("keytab /nowhere/k.keytab: "));
}

// No name becomes more than one component, or another realm's.
TEST_F(KerberosTicketTest, AUsersPrincipalIsOneComponentOfTheRealm) {
  for (const char* name : {"alice", "alice/admin", "alice@OTHER", "a\\b", "o'brien (x) * %s"}) {
    const auto principal = UserPrincipal(*context_, kRealm, name);
    ASSERT_TRUE(principal.ok());
    EXPECT_EQ(krb5_princ_size(raw(), principal->get()), 1) << name;
    EXPECT_EQ(std::string((*principal)->data[0].data, (*principal)->data[0].length), name);
    EXPECT_EQ(std::string((*principal)->realm.data, (*principal)->realm.length), kRealm);
  }
}

}  // namespace
}  // namespace credcache
