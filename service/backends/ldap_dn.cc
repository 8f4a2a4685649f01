#include "backends/ldap_dn.h"

#include <ldap.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace credcache {

std::string ComparableDn(const std::string& dn) {
  LDAPDN parsed = nullptr;
  char* text = nullptr;
  std::string result = dn;
  if (ldap_str2dn(dn.c_str(), &parsed, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && parsed != nullptr &&
      ldap_dn2str(parsed, &text, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS && text != nullptr) {
    result = text;
  }
  ldap_memfree(text);
  ldap_dnfree(parsed);
  absl::AsciiStrToLower(&result);
  return result;
}

bool IsBelow(const std::string& dn, const std::string& base) {
  const std::string below = ComparableDn(dn);
  const std::string above = ComparableDn(base);
  return below == above || absl::EndsWith(below, absl::StrCat(",", above));
}

std::string PlainDn(absl::string_view dn) {
  while (absl::StartsWith(dn, "<")) {
    const size_t end = dn.find(">;");
    if (end == absl::string_view::npos) break;
    dn.remove_prefix(end + 2);
  }
  return std::string(dn);
}

std::string GuidInDn(absl::string_view dn) {
  if (!absl::StartsWithIgnoreCase(dn, "<GUID=")) return "";
  dn.remove_prefix(sizeof("<GUID=") - 1);
  const size_t end = dn.find('>');
  return end == absl::string_view::npos ? "" : absl::AsciiStrToLower(dn.substr(0, end));
}

}  // namespace credcache
