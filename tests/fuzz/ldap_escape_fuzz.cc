// Any bytes as a name: in a distinguished name they stay one value, which libldap reads back as it was; in a filter
// nothing is left that ends a value.
#include <ldap.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "backends/ldap_escape.h"
#include "base/utf8.h"

namespace credcache {
namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

// libldap reads distinguished names as UTF-8.
void CheckDn(absl::string_view name) {
  const std::string text = absl::StrCat("uid=", EscapeDnValue(name), ",dc=corp");
  LDAPDN dn = nullptr;
  Check(ldap_str2dn(text.c_str(), &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS);
  Check(dn[0] != nullptr && dn[1] != nullptr && dn[2] == nullptr && dn[0][1] == nullptr);
  const berval& value = dn[0][0]->la_value;
  Check(absl::string_view(value.bv_val, value.bv_len) == name);
  ldap_dnfree(dn);
}

void CheckFilter(absl::string_view name) {
  const std::string escaped = EscapeFilterValue(name);
  std::string back;
  for (size_t i = 0; i < escaped.size(); ++i) {
    const char c = escaped[i];
    Check(c != '(' && c != ')' && c != '*' && c != '\0');
    if (c != '\\') {
      back += c;
      continue;
    }
    Check(i + 2 < escaped.size());
    back += static_cast<char>(std::strtol(escaped.substr(i + 1, 2).c_str(), nullptr, 16));
    i += 2;
  }
  Check(back == name);
}

}  // namespace
}  // namespace credcache

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view name(reinterpret_cast<const char*>(data), size);
  credcache::CheckFilter(name);
  if (!name.empty() && credcache::IsUtf8(name)) credcache::CheckDn(name);
  return 0;
}
