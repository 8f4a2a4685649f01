#include "backends/kerberos_context.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

constexpr size_t kMostText = 300;

std::string TextOf(krb5_context context, krb5_error_code code) {
  const char* message = krb5_get_error_message(context, code);
  std::string text = SafeText(message);
  krb5_free_error_message(context, message);
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KerberosContext>> KerberosContext::Open(const std::string& krb5_conf) {
  auto profile = KerberosProfile::Open(krb5_conf);
  if (!profile.ok()) return profile.status();
  krb5_context context = nullptr;
  const krb5_error_code error = krb5_init_context_profile((*profile)->get(), /*flags=*/0, &context);
  if (error != 0) return absl::UnavailableError(absl::StrCat("libkrb5: ", TextOf(nullptr, error)));
  return std::unique_ptr<KerberosContext>(new KerberosContext(*std::move(profile), context));
}

std::string KerberosContext::Text(krb5_error_code code) const { return TextOf(context_, code); }

std::string SafeText(absl::string_view text) {
  std::string safe = absl::Utf8SafeCHexEscape(text.substr(0, kMostText));
  // What was cut within a character.
  while (text.size() > kMostText && !safe.empty() && (static_cast<unsigned char>(safe.back()) & 0x80U) != 0) {
    safe.pop_back();
  }
  return safe;
}

}  // namespace credcache
