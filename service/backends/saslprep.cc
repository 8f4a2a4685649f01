#include "backends/saslprep.h"

#include <stringprep.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "base/limits.h"
#include "base/utf8.h"

namespace credcache {
namespace {

// No three bytes of UTF-8 become more than 33 by NFKC (U+FDFA).
constexpr size_t kRoom = kMaxPasswordSize / 3 * 33 + 64;

}  // namespace

absl::StatusOr<Secret> SaslPrep(SecretView password) {
  const absl::string_view bytes = password.Expose();
  const bool ascii =
      std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii || bytes.size() > kMaxPasswordSize || absl::StrContains(bytes, '\0') || !IsUtf8(bytes)) {
    return Secret(password);
  }
  std::vector<char> buffer(kRoom);
  const absl::Cleanup wipe = [&buffer] { WipeMemory(buffer.data(), buffer.size()); };
  std::memcpy(buffer.data(), bytes.data(), bytes.size());
  const int error = stringprep(buffer.data(), buffer.size(), STRINGPREP_NO_UNASSIGNED, stringprep_saslprep);
  if (error == STRINGPREP_MALLOC_ERROR || error == STRINGPREP_TOO_SMALL_BUFFER) {
    return absl::UnavailableError("SASLprep found no memory");
  }
  // Nothing left of it is a refusal, too.
  if (error != STRINGPREP_OK || buffer.front() == '\0') return Secret(password);
  return Secret(SecretView(absl::string_view(buffer.data())));
}

}  // namespace credcache
