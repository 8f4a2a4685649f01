// What the parts below the log have to tell an operator: a bad line in a users file, a directory that went down.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace credcache {

enum class Severity : uint8_t { kInfo, kWarning, kError };

// Thread-safe. Called from worker threads, maybe under a lock of the caller's: it must not call back, nor block for
// long, since it stands between a user and the answer.
class Reporter {
 public:
  virtual ~Reporter() = default;

  // `kind` is one of a fixed set, a constant of the caller ("users_file_line"), so that a flood of one kind can be
  // summed up. `text` is one line for people, and says where (file and line, URL). Neither ever holds a password, a
  // hash or a token.
  virtual void Report(Severity severity, absl::string_view kind, absl::string_view text) = 0;
};

}  // namespace credcache
