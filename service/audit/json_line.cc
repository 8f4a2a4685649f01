#include "audit/json_line.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace credcache {

JsonLine::JsonLine(absl::Time time, absl::string_view log, absl::string_view level, absl::string_view kind,
                   absl::string_view message, size_t max_text)
    : max_text_(max_text) {
  json_["ts"] = FormatRfc3339(time);
  Text("log", log);
  Text("level", level);
  Text("kind", kind);
  Text("msg", message);
}

void JsonLine::Text(const char* key, absl::string_view value) {
  if (!value.empty()) json_[key] = Cut(value);
}

void JsonLine::Texts(const char* key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  nlohmann::ordered_json& list = json_[key] = nlohmann::ordered_json::array();
  for (const std::string& value : values) list.push_back(Cut(value));
}

std::string JsonLine::Finish() const {
  return json_.dump(/*indent=*/-1, /*indent_char=*/' ', /*ensure_ascii=*/false,
                    nlohmann::ordered_json::error_handler_t::replace);
}

std::string JsonLine::Cut(absl::string_view text) const {
  if (text.size() <= max_text_) return std::string(text);
  size_t end = max_text_;
  // Not in the middle of a character: bytes 10xxxxxx continue one, and there are at most three of them.
  for (int i = 0; i < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80; ++i) --end;
  return absl::StrCat(text.substr(0, end), "…");
}

std::string FormatRfc3339(absl::Time time) {
  const absl::TimeZone::CivilInfo utc = absl::UTCTimeZone().At(time);
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.cs.year(), utc.cs.month(), utc.cs.day(),
                         utc.cs.hour(), utc.cs.minute(), utc.cs.second(), absl::ToInt64Microseconds(utc.subsecond));
}

}  // namespace credcache
