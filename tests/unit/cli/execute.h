// Runs a command line inside the test.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/command_line.h"

namespace credcache::cli {

// A file descriptor from which `text` can be read, as from a pipe.
class Input {
 public:
  explicit Input(absl::string_view text) : descriptor_(memfd_create("input", MFD_CLOEXEC)) {
    if (write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size()))
      lseek(descriptor_, 0, SEEK_SET);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() { close(descriptor_); }

  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

struct Result {
  int code;
  std::string out;
  std::string err;
};

inline Result Execute(const std::vector<std::string>& arguments, absl::string_view input = "") {
  std::vector<const char*> argv = {"credcachectl"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  const Input in(input);
  std::ostringstream out;
  std::ostringstream err;
  Console console{in.descriptor(), -1, out, err};
  const int code = RunCommandLine(static_cast<int>(argv.size()), argv.data(), console);
  return {code, out.str(), err.str()};
}

}  // namespace credcache::cli
