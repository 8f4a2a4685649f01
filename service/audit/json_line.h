// One line of a log, as JSON (RFC 8259), written straight into its text: a decision pays for it, and a document tree
// costs it four times as much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace credcache {

// Texts may be any bytes: what is not UTF-8 is replaced by U+FFFD, control characters (C1 too, for the sake of
// terminals) are escaped, what is longer than `max_text` bytes is cut off and ends in "…". Keys are constants of the
// code: lower-case ASCII and underscores. Fields come out in the order in which they were added. Not thread-safe.
class JsonLine {
 public:
  // Every line begins with these.
  JsonLine(absl::Time time, absl::string_view log, absl::string_view level, absl::string_view kind,
           absl::string_view message, size_t max_text);

  // An empty text is left out.
  void Text(absl::string_view key, absl::string_view value);
  // RFC 3339 in UTC, with microseconds: "2026-11-22T09:00:00.000000Z". `value` is of the years 0 to 9999.
  void Time(absl::string_view key, absl::Time value);
  void Number(absl::string_view key, uint64_t value);
  void Flag(absl::string_view key, bool value);
  // An empty list is left out.
  void Texts(absl::string_view key, const std::vector<std::string>& values);

  // The line, without a newline. Once, at the end.
  std::string Finish() &&;

 private:
  void Key(absl::string_view key);
  void Value(absl::string_view text);

  const size_t max_text_;
  std::string line_;
};

}  // namespace credcache
