#include "backends/ldap_paged_values.h"

#include <lber.h>

#include <memory>

namespace credcache {
namespace {

struct FreeBer {
  void operator()(BerElement* ber) const { ber_free(ber, 1); }
};
using Ber = std::unique_ptr<BerElement, FreeBer>;

berval BytesOf(absl::string_view text) {
  return {.bv_len = text.size(),
          .bv_val = const_cast<char*>(text.data())};  // NOLINT(cppcoreguidelines-pro-type-const-cast): only read
}

}  // namespace

std::string PagedRequestValue(int size, absl::string_view cookie) {
  const Ber ber(ber_alloc_t(LBER_USE_DER));
  const berval bytes = BytesOf(cookie);
  ber_printf(ber.get(), "{iO}", size, &bytes);
  berval flat = {};
  std::string value;
  if (ber_flatten2(ber.get(), &flat, 0) == 0) value.assign(flat.bv_val, flat.bv_len);
  return value;
}

absl::StatusOr<std::string> ParsePagedCookie(absl::string_view value) {
  const absl::Status malformed = absl::UnavailableError("the directory sent a malformed page");
  if (value.empty()) return malformed;  // liblber would read it all the same
  berval bytes = BytesOf(value);
  const Ber ber(ber_init(&bytes));
  ber_int_t size = 0;
  berval cookie = {};
  if (ber == nullptr || ber_scanf(ber.get(), "{im}", &size, &cookie) == LBER_ERROR) return malformed;
  return std::string(cookie.bv_val, cookie.bv_len);
}

}  // namespace credcache
