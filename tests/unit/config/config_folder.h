// A folder with a configuration in it, gone with the test.
#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "config/config.h"
#include "config/load.h"

namespace credcache {

class ConfigFolder {
 public:
  // With the files that tests name: `users`, `server.pem`, `ca.pem`, `krb5.conf`, and for the owner only `server.key`,
  // `token`, `reader.secret`, `dsn`, `k.keytab`.
  ConfigFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "credcache-config-XXXXXX").string();
    path_ = mkdtemp(name.data());
    for (const char* file : {"users", "server.pem", "ca.pem", "krb5.conf"}) Write(file, "text", 0644);
    for (const char* file : {"server.key", "token", "reader.secret", "dsn", "k.keytab"}) Write(file, "secret", 0600);
  }
  ~ConfigFolder() { std::filesystem::remove_all(path_); }
  ConfigFolder(const ConfigFolder&) = delete;
  ConfigFolder& operator=(const ConfigFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& file) const { return path_ + "/" + file; }

  void Write(const std::string& file, absl::string_view text, mode_t mode = 0644) const {
    std::ofstream(*this / file) << text;
    chmod((*this / file).c_str(), mode);
  }

  // The text as the file "c.yaml" of this folder.
  absl::StatusOr<std::shared_ptr<const Config>> Parse(absl::string_view text) const {
    return ParseConfig(text, "c.yaml", path_);
  }
  // "ok", or the mistakes.
  std::string Mistakes(absl::string_view text) const {
    const auto config = Parse(text);
    return config.ok() ? "ok" : std::string(config.status().message());
  }

 private:
  std::string path_;
};

// One realm with one validator, on one line: what a test writes in front begins in line 1.
inline constexpr absl::string_view kRealm = "realms: [{name: r, validators: [{file: {path: users}}]}]\n";

}  // namespace credcache
