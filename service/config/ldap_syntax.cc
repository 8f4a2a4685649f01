#include "config/ldap_syntax.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "config/address.h"

namespace credcache {
namespace {

constexpr int kMaxFilterDepth = 32;

bool StartsWithAny(absl::string_view text, absl::string_view characters) {
  return !text.empty() && absl::StrContains(characters, text.front());
}

void SkipBlanks(absl::string_view& text) { text = absl::StripLeadingAsciiWhitespace(text); }

// attribute [:dn] [:rule] (= | >= | <= | ~= | :=) value, up to the closing parenthesis, which stays.
bool ConsumeItem(absl::string_view& text) {
  const size_t end = text.find_first_of("()");
  if (end == absl::string_view::npos || text[end] != ')') return false;
  const absl::string_view item = text.substr(0, end);
  text.remove_prefix(end);

  const size_t equals = item.find('=');
  if (equals == absl::string_view::npos) return false;
  absl::string_view attribute = item.substr(0, equals);
  const absl::string_view value = item.substr(equals + 1);
  if (absl::ConsumeSuffix(&attribute, ":")) {
    // Extensible match: attribute and rule are each optional, but not both.
    const size_t colon = attribute.find(':');
    absl::string_view rule = colon == absl::string_view::npos ? absl::string_view() : attribute.substr(colon);
    attribute = attribute.substr(0, colon);
    absl::ConsumePrefix(&rule, ":dn");
    if (!rule.empty() && (!absl::ConsumePrefix(&rule, ":") || !IsLdapAttribute(rule))) return false;
    if (attribute.empty() ? rule.empty() : !IsLdapAttribute(attribute)) return false;
  } else {
    if (StartsWithAny(attribute.substr(attribute.empty() ? 0 : attribute.size() - 1), "<>~"))
      attribute.remove_suffix(1);
    if (!IsLdapAttribute(attribute)) return false;
  }

  for (size_t at = value.find('\\'); at != absl::string_view::npos; at = value.find('\\', at + 1)) {
    if (at + 2 >= value.size() || !absl::ascii_isxdigit(static_cast<unsigned char>(value[at + 1])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(value[at + 2]))) {
      return false;
    }
  }
  return true;
}

bool ConsumeFilter(absl::string_view& text, int depth) {
  SkipBlanks(text);
  if (depth == 0 || !absl::ConsumePrefix(&text, "(")) return false;
  SkipBlanks(text);
  if (StartsWithAny(text, "&|!")) {
    const bool one = text.front() == '!';
    text.remove_prefix(1);
    do {
      if (!ConsumeFilter(text, depth - 1)) return false;
      SkipBlanks(text);
    } while (!one && StartsWithAny(text, "("));
  } else if (!ConsumeItem(text)) {
    return false;
  }
  return absl::ConsumePrefix(&text, ")");
}

}  // namespace

bool IsLdapFilter(absl::string_view filter) {
  if (!ConsumeFilter(filter, kMaxFilterDepth)) return false;
  SkipBlanks(filter);
  return filter.empty();
}

bool IsLdapAttribute(absl::string_view name) {
  return !name.empty() && absl::ascii_isalnum(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == ';'; });
}

std::optional<LdapUrl> ParseLdapUrl(absl::string_view text) {
  LdapUrl result;
  if (absl::ConsumePrefix(&text, "ldaps://")) {
    result.tls = true;
  } else if (!absl::ConsumePrefix(&text, "ldap://")) {
    return std::nullopt;
  }
  absl::ConsumeSuffix(&text, "/");
  std::optional<ListenAddress> address = ParseAddress(text);
  if (!address.has_value()) address = ParseAddress(absl::StrCat(text, result.tls ? ":636" : ":389"));
  if (!address.has_value() || address->port == 0) return std::nullopt;
  result.loopback = address->IsLoopback();
  result.url = absl::StrCat(result.tls ? "ldaps://" : "ldap://", address->ToString());
  return result;
}

}  // namespace credcache
