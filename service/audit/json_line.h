// One line of a log, as JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace credcache {

// Texts may be any bytes: what is not UTF-8 is replaced by U+FFFD, what is longer than `max_text` bytes is cut off and
// ends in "…". Fields come out in the order in which they were added. Not thread-safe.
class JsonLine {
 public:
  // Every line begins with these.
  JsonLine(absl::Time time, absl::string_view log, absl::string_view level, absl::string_view kind,
           absl::string_view message, size_t max_text);

  // An empty text is left out.
  void Text(const char* key, absl::string_view value);
  void Number(const char* key, uint64_t value) { json_[key] = value; }
  void Flag(const char* key, bool value) { json_[key] = value; }
  void Texts(const char* key, const std::vector<std::string>& values);

  // The line, without a newline.
  std::string Finish() const;

 private:
  std::string Cut(absl::string_view text) const;

  const size_t max_text_;
  nlohmann::ordered_json json_ = nlohmann::ordered_json::object();
};

// RFC 3339 in UTC, with microseconds: "2026-11-22T09:00:00.000000Z".
std::string FormatRfc3339(absl::Time time);

}  // namespace credcache
