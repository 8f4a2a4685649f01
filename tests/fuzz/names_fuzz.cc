// Whatever bytes come as a username: a name comes out in its one form, or an error, and the form is stable.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "base/names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using credcache::CaseRule;
  using credcache::Username;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  for (const CaseRule rule : {CaseRule::kFold, CaseRule::kSensitive}) {
    const absl::StatusOr<Username> name = Username::Normalize(input, rule);
    if (!name.ok()) continue;
    if (name->view().empty() || name->view().size() > credcache::kMaxUsernameSize) std::abort();
    const absl::StatusOr<Username> again = Username::Normalize(name->view(), rule);
    if (!again.ok() || !(*again == *name)) std::abort();
  }
  return 0;
}
