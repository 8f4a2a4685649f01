#include "backends/remote_status.h"

#include <array>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "base/utf8.h"

namespace credcache {
namespace {

constexpr size_t kMaxShown = 300;

absl::string_view CodeName(grpc::StatusCode code) {
  static constexpr std::array<absl::string_view, 17> kNames = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  const auto index = static_cast<size_t>(code);
  return index < kNames.size() ? kNames[index] : "an unknown code";
}

}  // namespace

std::string StatusText(const grpc::Status& status, SecretView secret) {
  const absl::string_view name = CodeName(status.error_code());
  const std::string message = status.error_message();
  if (message.empty()) return std::string(name);
  if (!secret.empty() && absl::StrContains(message, secret.Expose())) {
    return absl::StrCat(name, " (its text is left out: it repeats the password)");
  }
  const absl::string_view shown = absl::string_view(message).substr(0, kMaxShown);
  const std::string escaped = IsUtf8(shown) ? absl::Utf8SafeCHexEscape(shown) : absl::CHexEscape(shown);
  // Quotes need no escape here.
  return absl::StrCat(name, ": ", absl::StrReplaceAll(escaped, {{"\\'", "'"}, {"\\\"", "\""}}),
                      message.size() > kMaxShown ? "..." : "");
}

}  // namespace credcache
