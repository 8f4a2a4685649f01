// A folder that goes with the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace credcache {

class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "rpc_test.XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  // Replaced as a whole, as careful operators do.
  std::string Write(const std::string& name, const std::string& content) const {
    std::ofstream(File(name + ".new"), std::ios::binary) << content;
    std::filesystem::rename(File(name + ".new"), File(name));
    return File(name);
  }

 private:
  std::string path_;
};

}  // namespace credcache
