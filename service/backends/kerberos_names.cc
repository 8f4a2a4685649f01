#include "backends/kerberos_names.h"

namespace credcache {

bool IsPrincipalComponent(absl::string_view name) {
  static constexpr absl::string_view kNotThese("/@\\\0", 4);
  return !name.empty() && name.find_first_of(kNotThese) == absl::string_view::npos;
}

bool IsKerberosPassword(absl::string_view password) { return password.find('\0') == absl::string_view::npos; }

}  // namespace credcache
