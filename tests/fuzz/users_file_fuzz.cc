// Any bytes as a users file: users whose names are normalised and whose hashes can be parsed again, or errors of one
// line each that repeat nothing of the file. Never a crash; no hash is computed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "backends/users_file.h"

namespace credcache {
namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckFile(absl::string_view text, CaseRule case_rule) {
  const auto file = ParseUsersFile(text, case_rule);
  if (!file.ok()) return;
  Check(file->errors.size() <= kMaxUsersFileErrors);
  Check(file->errors.size() <= file->bad_lines);
  for (const UsersFileError& error : file->errors) {
    Check(error.line >= 1 && !error.text.empty() && error.text.find('\n') == std::string::npos);
  }
  for (const auto& [name, user] : file->users) {
    const auto normalised = Username::Normalize(name, case_rule);
    Check(normalised.ok() && file->Find(*normalised) != nullptr);
    if (user.hash) Check(!user.hash->cost().empty());
  }
  Check(!file->commonest.cost().empty());
}

}  // namespace
}  // namespace credcache

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  credcache::CheckFile(text, credcache::CaseRule::kFold);
  credcache::CheckFile(text, credcache::CaseRule::kSensitive);
  return 0;
}
