#include "audit/json_line.h"

#include <utf8proc.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

// Longer than nearly every line: one allocation each.
constexpr size_t kUsualSize = 512;

bool IsPlain(unsigned char byte) { return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\'; }

void AppendEscaped(utf8proc_int32_t character, std::string& out) {
  switch (character) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    default:
      absl::StrAppend(&out, "\\u", absl::Hex(character, absl::kZeroPad4));
  }
}

// Appends the first character of `text`, which is not plain, and returns how many bytes it took.
size_t AppendCharacter(absl::string_view text, std::string& out) {
  utf8proc_int32_t character = -1;
  const utf8proc_ssize_t size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                                 static_cast<utf8proc_ssize_t>(text.size()), &character);
  if (size <= 0) {
    out += "\xEF\xBF\xBD";
    return 1;
  }
  if (character < 0xA0) {
    AppendEscaped(character, out);
  } else {
    out.append(text.data(), static_cast<size_t>(size));
  }
  return static_cast<size_t>(size);
}

void AppendText(absl::string_view text, std::string& out) {
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && IsPlain(static_cast<unsigned char>(text[plain]))) ++plain;
    out.append(text.data(), plain);
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(AppendCharacter(text, out));
  }
}

// Where to cut, so that no character is cut in two: bytes 10xxxxxx continue one, and there are at most three of them.
size_t CutBefore(absl::string_view text, size_t end) {
  for (int i = 0; i < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80; ++i) --end;
  return end;
}

void AppendDigits(int64_t number, int digits, std::string& out) {
  const size_t end = out.size() + static_cast<size_t>(digits);
  out.resize(end);
  for (int i = 1; i <= digits; ++i, number /= 10)
    out[end - static_cast<size_t>(i)] = static_cast<char>('0' + number % 10);
}

}  // namespace

JsonLine::JsonLine(absl::Time time, absl::string_view log, absl::string_view level, absl::string_view kind,
                   absl::string_view message, size_t max_text)
    : max_text_(max_text) {
  line_.reserve(kUsualSize);
  line_ += '{';
  Time("ts", time);
  Text("log", log);
  Text("level", level);
  Text("kind", kind);
  Text("msg", message);
}

void JsonLine::Text(absl::string_view key, absl::string_view value) {
  if (value.empty()) return;
  Key(key);
  Value(value);
}

void JsonLine::Time(absl::string_view key, absl::Time value) {
  const absl::TimeZone::CivilInfo utc = absl::UTCTimeZone().At(value);
  Key(key);
  line_ += '"';
  AppendDigits(utc.cs.year(), 4, line_);
  line_ += '-';
  AppendDigits(utc.cs.month(), 2, line_);
  line_ += '-';
  AppendDigits(utc.cs.day(), 2, line_);
  line_ += 'T';
  AppendDigits(utc.cs.hour(), 2, line_);
  line_ += ':';
  AppendDigits(utc.cs.minute(), 2, line_);
  line_ += ':';
  AppendDigits(utc.cs.second(), 2, line_);
  line_ += '.';
  AppendDigits(absl::ToInt64Microseconds(utc.subsecond), 6, line_);
  line_ += "Z\"";
}

void JsonLine::Number(absl::string_view key, uint64_t value) {
  Key(key);
  absl::StrAppend(&line_, value);
}

void JsonLine::Flag(absl::string_view key, bool value) {
  Key(key);
  line_ += value ? "true" : "false";
}

void JsonLine::Texts(absl::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  Key(key);
  char before = '[';
  for (const std::string& value : values) {
    line_ += std::exchange(before, ',');
    Value(value);
  }
  line_ += ']';
}

std::string JsonLine::Finish() && {
  line_ += '}';
  return std::move(line_);
}

void JsonLine::Key(absl::string_view key) {
  if (line_.size() > 1) line_ += ',';
  line_ += '"';
  line_.append(key.data(), key.size());
  line_ += "\":";
}

void JsonLine::Value(absl::string_view text) {
  line_ += '"';
  if (text.size() <= max_text_) {
    AppendText(text, line_);
  } else {
    AppendText(text.substr(0, CutBefore(text, max_text_)), line_);
    line_ += "…";
  }
  line_ += '"';
}

}  // namespace credcache
