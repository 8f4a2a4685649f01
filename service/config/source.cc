#include "config/source.h"

#include <utf8proc.h>

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace credcache {
namespace {

// A message is for one line of a terminal; a file of nothing but mistakes needs no thousand of them.
constexpr size_t kMaxShown = 80;
constexpr int64_t kMaxMessages = 100;

// Controls, line separators, and what turns text round.
bool IsInvisible(utf8proc_int32_t codepoint) {
  switch (utf8proc_category(codepoint)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return true;
    default:
      return false;
  }
}

// The section around `path`: "a.b" of "a.b.c" and of "a.b[2]"; nothing around "".
std::optional<absl::string_view> Around(absl::string_view path) {
  if (path.empty()) return std::nullopt;
  const size_t end = path.find_last_of(".[");
  return end == absl::string_view::npos ? absl::string_view() : path.substr(0, end);
}

// Whether `path` or a section around it is in the set.
bool IsAmong(absl::string_view path, const absl::flat_hash_set<std::string>& paths) {
  for (std::optional<absl::string_view> at = path; at.has_value(); at = Around(*at)) {
    if (paths.contains(*at)) return true;
  }
  return false;
}

}  // namespace

std::string Escaped(absl::string_view text) {
  std::string result;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    if (result.size() >= kMaxShown) return result + "...";
    utf8proc_int32_t codepoint = 0;
    const utf8proc_ssize_t length =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &codepoint);
    if (length <= 0) {
      absl::StrAppendFormat(&result, "\\x%02x", bytes[at]);
      ++at;
      continue;
    }
    const auto size = static_cast<size_t>(length);
    if (codepoint == '\n') {
      result += "\\n";
    } else if (codepoint == '\t') {
      result += "\\t";
    } else if (IsInvisible(codepoint) && codepoint < 0x80) {
      absl::StrAppendFormat(&result, "\\x%02x", codepoint);
    } else if (IsInvisible(codepoint)) {
      absl::StrAppendFormat(&result, "\\u%04x", codepoint);
    } else {
      if (codepoint == '"' || codepoint == '\\') result += '\\';
      result.append(text.data() + at, size);
    }
    at += size;
  }
  return result;
}

std::string Quoted(absl::string_view text) { return absl::StrCat("\"", Escaped(text), "\""); }

void ConfigSource::Place(const std::string& path, int line, std::string shown) {
  // It may have been taken for missing, when another key was refused.
  bad_.erase(path);
  places_.insert_or_assign(path, Value{.line = line, .shown = std::move(shown)});
}

int ConfigSource::Line(absl::string_view path) const {
  for (std::optional<absl::string_view> at = path; at.has_value(); at = Around(*at)) {
    if (const auto place = places_.find(*at); place != places_.end()) return place->second.line;
  }
  return 1;
}

bool ConfigSource::IsEmptyList(const std::string& path) const {
  const auto place = places_.find(path);
  return place != places_.end() && place->second.shown == kShownEmptyList;
}

void ConfigSource::Fail(const std::string& path, absl::string_view expected) {
  const auto place = places_.find(path);
  const std::string got = place == places_.end() ? std::string(kShownNothing) : place->second.shown;
  FailAs(path, got, expected);
}

void ConfigSource::FailAs(const std::string& path, absl::string_view got, absl::string_view expected) {
  if (IsAmong(path, unread_)) return;
  bad_.insert(path);
  Report(Line(path), path, got, expected);
}

void ConfigSource::Refuse(const std::string& path, absl::string_view got, absl::string_view expected,
                          const std::string& meant) {
  FailAs(path, got, expected);
  if (!meant.empty() && !Has(meant)) bad_.insert(meant);
  with_refused_.insert(std::string(Around(path).value_or("")));
}

void ConfigSource::FailFile(int line, absl::string_view got, absl::string_view expected) {
  unreadable_ = true;
  Report(line, "file", got, expected);
}

void ConfigSource::FailLine(int line, absl::string_view what, absl::string_view got, absl::string_view expected) {
  Report(line, what, got, expected);
}

bool ConfigSource::IsBad(absl::string_view path) const { return IsAmong(path, bad_); }

void ConfigSource::Report(int line, absl::string_view what, absl::string_view got, absl::string_view expected) {
  if (++mistakes_ > kMaxMessages) return;
  messages_.emplace(line, absl::StrCat(file_, ":", line, ": ", what, ": got ", got, ", expected ", expected));
}

absl::Status ConfigSource::status() const {
  if (ok()) return absl::OkStatus();
  std::string text =
      absl::StrJoin(messages_, "\n", [](std::string* out, const auto& message) { *out += message.second; });
  if (mistakes_ > kMaxMessages) absl::StrAppend(&text, "\n", file_, ": and ", mistakes_ - kMaxMessages, " more");
  return absl::InvalidArgumentError(text);
}

}  // namespace credcache
