#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "config/config_folder.h"

namespace credcache {
namespace {

TEST(ValidatePamTest, MistakesAreNamed) {
  const ConfigFolder folder;
  std::filesystem::create_directory(folder / "pam.d");
  folder.Write("pam.d/credcache", "");
  const auto expect = [&](absl::string_view keys, absl::string_view message) {
    const std::string section = "realms[0].validators[0].pam";
    const std::string text = absl::StrCat("realms:\n- name: r\n  validators:\n  - pam: {", keys, "}");
    const std::string expected = message == "ok" ? "ok" : absl::StrCat("c.yaml:4: ", section, ".", message);
    EXPECT_EQ(folder.Mistakes(text), absl::StrReplaceAll(expected, {{"DIR", folder.path()}})) << keys;
  };
  const std::string good = "service: credcache, config_folder: pam.d";
  const std::string name = ", expected the name of a PAM service, in lower case, like credcache";
  expect(good, "ok");
  expect(good + ", workers: 1, timeout: 100ms, system_users: false", "ok");
  expect("config_folder: pam.d", "service: got nothing" + name);
  for (const std::string bad : {"../users", "Credcache", ".hidden", "two words"}) {
    expect("config_folder: pam.d, service: " + bad, "service: got \"" + bad + "\"" + name);
  }
  // The service `other` would decide.
  expect("service: none, config_folder: pam.d", "service: got \"none\", expected a file of that name in DIR/pam.d");
  expect("service: credcache-of-no-system",
         "service: got \"credcache-of-no-system\", expected a file of that name in /etc/pam.d");
  expect("service: credcache, config_folder: ''", "config_folder: got \"\", expected the path of a file");
  expect(good + ", workers: 0", "workers: got \"0\", expected a number from 1 to 256");
  expect(good + ", timeout: 2m", "timeout: got \"2m\", expected a duration from 100ms to 1m");
}

}  // namespace
}  // namespace credcache
