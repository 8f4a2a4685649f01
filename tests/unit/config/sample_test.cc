#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "config/config_folder.h"
#include "config/source.h"
#include "config/yaml_to_proto.h"
#include "credcache/config/v1/config.pb.h"

namespace credcache {
namespace {

std::string Sample() {
  std::ostringstream text;
  text << std::ifstream(CREDCACHE_SAMPLE).rdbuf();
  return text.str();
}

class SampleTest : public ::testing::Test {
 protected:
  SampleTest() {
    folder_.Write("operator.token", "secret", 0600);
    std::filesystem::create_directory(folder_ / "pam.d");
    folder_.Write("pam.d/credcache", "auth required pam_unix.so\naccount required pam_unix.so\n");
    folder_.Write("credcached.yaml", Sample());
  }
  ConfigFolder folder_;
};

TEST_F(SampleTest, Loads) {
  const auto config = LoadConfig(folder_ / "credcached.yaml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ((*config)->realms.size(), 1U);
  EXPECT_EQ((*config)->realms[0].validators.size(), 7U);
}

// What the sample gives as defaults are the defaults.
TEST_F(SampleTest, TellsTheDefaults) {
  const auto sample = LoadConfig(folder_ / "credcached.yaml");
  ASSERT_TRUE(sample.ok());
  const auto defaults = folder_.Parse(kRealm);
  ASSERT_TRUE(defaults.ok());
  ListenConfig listen = (*sample)->listen;
  EXPECT_EQ(listen.unix_sockets[0].mode, UnixSocketConfig().mode);
  listen.unix_sockets.clear();
  EXPECT_EQ(listen, (*defaults)->listen);
  EXPECT_EQ((*sample)->cache, (*defaults)->cache);
  EXPECT_EQ((*sample)->audit, (*defaults)->audit);
  EXPECT_EQ((*sample)->log, (*defaults)->log);
  const auto& ldap = std::get<LdapConfig>((*sample)->realms[0].validators[1].backend);
  EXPECT_EQ(ldap.username, LdapConfig().username);
  EXPECT_EQ(ldap.connections, LdapConfig().connections);
  EXPECT_EQ(ldap.timeout, LdapConfig().timeout);
  const auto& postgres = std::get<PostgresConfig>((*sample)->realms[0].validators[3].backend);
  EXPECT_EQ(postgres.connections, PostgresConfig().connections);
  EXPECT_EQ(postgres.timeout, PostgresConfig().timeout);
  EXPECT_EQ(postgres.channel, PostgresConfig().channel);
  const auto& pam = std::get<PamConfig>((*sample)->realms[0].validators[5].backend);
  EXPECT_EQ(pam.system_users, PamConfig().system_users);
  EXPECT_EQ(pam.workers, PamConfig().workers);
  EXPECT_EQ(pam.timeout, PamConfig().timeout);
  EXPECT_EQ(std::get<RemoteConfig>((*sample)->realms[0].validators[4].backend).timeout, RemoteConfig().timeout);
  const auto& kerberos = std::get<KerberosConfig>((*sample)->realms[0].validators[6].backend);
  EXPECT_EQ(kerberos.workers, KerberosConfig().workers);
  EXPECT_EQ(kerberos.timeout, KerberosConfig().timeout);
  EXPECT_EQ((*defaults)->cache.policy, CachePolicy());
}

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsSection(const FieldDescriptor& field) {
  return field.message_type() != nullptr && field.message_type()->full_name() != "google.protobuf.Duration";
}

void AddKeys(const Descriptor& type, std::set<std::string>& keys) {
  for (int i = 0; i < type.field_count(); ++i) {
    keys.insert(type.field(i)->full_name());
    if (IsSection(*type.field(i))) AddKeys(*type.field(i)->message_type(), keys);
  }
}

void AddKeysThatAreSet(const Message& message, std::set<std::string>& keys) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    keys.insert(field->full_name());
    if (!IsSection(*field)) continue;
    if (!field->is_repeated()) {
      AddKeysThatAreSet(message.GetReflection()->GetMessage(message, field), keys);
      continue;
    }
    for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
      AddKeysThatAreSet(message.GetReflection()->GetRepeatedMessage(message, field, i), keys);
    }
  }
}

TEST_F(SampleTest, HasEveryKeyThatIsBuilt) {
  ConfigSource source("sample");
  config::v1::Config written;
  ReadYaml(Sample(), written, source);
  ASSERT_TRUE(source.ok()) << source.status();
  std::set<std::string> built;
  std::set<std::string> shown;
  AddKeys(*config::v1::Config::descriptor(), built);
  AddKeysThatAreSet(written, shown);
  EXPECT_EQ(shown, built);
}

}  // namespace
}  // namespace credcache
