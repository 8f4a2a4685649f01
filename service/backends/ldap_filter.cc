#include "backends/ldap_filter.h"

#include "absl/strings/ascii.h"

namespace credcache {

FilterAttributes AttributesOf(absl::string_view filter) {
  FilterAttributes result;
  for (size_t open = filter.find('('); open != absl::string_view::npos; open = filter.find('(', open + 1)) {
    // A parenthesis within a value is escaped, so this is one comparison, or `&`, `|` or `!` before others.
    const absl::string_view part = filter.substr(open + 1, filter.find_first_of("()", open + 1) - open - 1);
    const size_t end = part.find_first_of("=<>~:");
    if (end == absl::string_view::npos) continue;
    const absl::string_view attribute = absl::StripAsciiWhitespace(part.substr(0, end));
    if (attribute.empty()) continue;
    result.all.emplace_back(attribute);
    // Blanks around a value do not count when names are compared.
    if (part[end] == '=' && absl::StripAsciiWhitespace(part.substr(end + 1)) == "{username}") {
      result.names.emplace_back(attribute);
    }
  }
  return result;
}

}  // namespace credcache
