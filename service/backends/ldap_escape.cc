#include "backends/ldap_escape.h"

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"

namespace credcache {
namespace {

void AppendHex(char c, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += '\\';
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

}  // namespace

std::string EscapeFilterValue(absl::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (const char c : value) {
    // RFC 4515, section 3, asks for NUL, '(', ')', '*' and '\'; the other controls are for people who read logs.
    const bool special =
        c == '(' || c == ')' || c == '*' || c == '\\' || static_cast<unsigned char>(c) < ' ' || c == 0x7f;
    if (special) {
      AppendHex(c, out);
    } else {
      out += c;
    }
  }
  return out;
}

std::string EscapeDnValue(absl::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    // RFC 4514, section 2.4; '=' need not be, and may be.
    const bool special = absl::StrContains("\"+,;<>\\=", c) || static_cast<unsigned char>(c) < ' ' || c == 0x7f;
    const bool at_start = i == 0 && (c == ' ' || c == '#');
    const bool at_end = i + 1 == value.size() && c == ' ';
    if (special || at_start || at_end) {
      AppendHex(c, out);
    } else {
      out += c;
    }
  }
  return out;
}

std::string ExpandUsername(absl::string_view text, absl::string_view escaped) {
  return absl::StrReplaceAll(text, {{"{username}", escaped}});
}

}  // namespace credcache
