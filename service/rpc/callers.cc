#include "rpc/callers.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/secret.h"
#include "rpc/status.h"

namespace credcache {
namespace {

// Fewer could be tried out.
constexpr size_t kMinTokenSize = 16;
constexpr size_t kMaxTokenSize = 4096;

std::array<uint8_t, 32> Sha256(absl::string_view bytes) {
  std::array<uint8_t, 32> digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

// The token of "Bearer TOKEN" (RFC 6750; the scheme in any case); nothing: some other scheme.
std::optional<absl::string_view> BearerToken(absl::string_view header) {
  constexpr absl::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(header, kScheme)) return std::nullopt;
  return absl::StripAsciiWhitespace(header.substr(kScheme.size()));
}

absl::Status Unknown(absl::string_view message) { return MakeError(ErrorReason::kCallerUnknown, message); }

}  // namespace

Caller Caller::Anyone() {
  Caller caller;
  caller.name_ = "anyone";
  caller.allow_ = PermissionSet::All();
  return caller;
}

Caller::Caller(const CallerConfig& config)
    : name_(config.name),
      allow_(config.allow),
      audiences_(std::in_place, config.audiences.begin(), config.audiences.end()),
      max_age_(config.max_age) {
  if (config.realms.has_value()) realms_.emplace(config.realms->begin(), config.realms->end());
}

std::optional<absl::Duration> Caller::MaxAge(std::optional<absl::Duration> asked) const {
  if (!max_age_.has_value()) return asked;
  return std::min(*max_age_, asked.value_or(absl::InfiniteDuration()));
}

absl::Status Caller::MayDo(Permission permission) const {
  if (allow_.Contains(permission)) return absl::OkStatus();
  return MakeError(ErrorReason::kMethodNotAllowed,
                   absl::StrCat("the caller ", name_, " lacks the permission ", credcache::Name(permission)));
}

absl::Status Caller::MayUseRealm(absl::string_view realm) const {
  if (!realms_.has_value() || realms_->contains(realm)) return absl::OkStatus();
  return MakeError(ErrorReason::kRealmNotAllowed, absl::StrCat("the caller ", name_, " may not use the realm ", realm));
}

absl::Status Caller::MayUseAllRealms() const {
  if (!realms_.has_value()) return absl::OkStatus();
  return MakeError(ErrorReason::kRealmNotAllowed, absl::StrCat("the caller ", name_, " may not use every realm"));
}

absl::Status Caller::MayName(absl::string_view audience) const {
  if (audience.empty() || !audiences_.has_value() || audiences_->contains(audience)) return absl::OkStatus();
  return MakeError(ErrorReason::kAudienceNotAllowed,
                   absl::StrCat("the caller ", name_, " does not speak for the audience that the request names"));
}

absl::StatusOr<std::shared_ptr<const Callers>> Callers::Load(const std::optional<std::vector<CallerConfig>>& config) {
  std::shared_ptr<Callers> callers(new Callers);
  if (!config.has_value()) {
    callers->anyone_ = Caller::Anyone();
    return callers;
  }
  for (const CallerConfig& caller : *config) {
    const size_t index = callers->callers_.size();
    callers->callers_.emplace_back(caller);
    callers->by_name_.emplace(caller.name, index);
    if (!caller.certificate.empty()) callers->by_certificate_.emplace(caller.certificate, index);
    if (caller.token_file.empty()) continue;
    if (absl::Status status = callers->AddToken(caller, index); !status.ok()) return status;
  }
  return callers;
}

absl::Status Callers::AddToken(const CallerConfig& config, size_t caller) {
  const auto failed = [&config](absl::string_view problem) {
    return absl::InvalidArgumentError(
        absl::StrCat(config.token_file, ": the token of caller ", config.name, " ", problem));
  };
  std::ifstream file(config.token_file, std::ios::binary);
  std::array<char, kMaxTokenSize + 1> buffer;
  file.read(buffer.data(), buffer.size());
  const size_t size = static_cast<size_t>(file.gcount());
  const Secret content{SecretView(absl::string_view(buffer.data(), size))};
  WipeMemory(buffer.data(), buffer.size());
  if (!file.eof() && size < buffer.size()) return failed(absl::StrCat("cannot be read: ", std::strerror(errno)));

  const absl::string_view token = absl::StripAsciiWhitespace(content.view().Expose());
  if (token.empty()) return failed("is empty");
  if (token.size() < kMinTokenSize) return failed("is shorter than 16 bytes");
  if (content.size() > kMaxTokenSize) return failed("is longer than 4096 bytes");
  if (!std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; })) {
    return failed("has spaces or other bytes that a header cannot carry");
  }
  const std::array<uint8_t, 32> digest = Sha256(token);
  for (const Token& other : tokens_) {
    if (other.sha256 == digest) return failed(absl::StrCat("is also that of caller ", callers_[other.caller].name()));
  }
  tokens_.push_back({digest, caller});
  return absl::OkStatus();
}

const Caller* Callers::FindByToken(absl::string_view token) const {
  const std::array<uint8_t, 32> digest = Sha256(token);
  const Caller* found = nullptr;
  // All of them, so that the time tells nothing of which one was close.
  for (const Token& known : tokens_) {
    if (CRYPTO_memcmp(known.sha256.data(), digest.data(), digest.size()) == 0) found = &callers_[known.caller];
  }
  return found;
}

absl::StatusOr<const Caller*> Callers::Identify(const CallerEvidence& evidence) const {
  if (anyone_.has_value()) return &*anyone_;
  if (evidence.transport == Transport::kClearText) {
    for (const std::string& header : evidence.authorizations) {
      if (BearerToken(header).has_value()) {
        return MakeError(ErrorReason::kTokenInTheClear,
                         "a bearer token came over a connection without TLS, where anybody on the way can read it: "
                         "it is refused, and should be replaced");
      }
    }
  }
  if (!evidence.socket_caller.empty()) {
    const auto it = by_name_.find(evidence.socket_caller);
    if (it == by_name_.end()) return Unknown("the caller that this socket stands for is not configured any more");
    return &callers_[it->second];
  }
  if (evidence.authorizations.size() > 1) return Unknown("more than one authorization header");
  if (!evidence.authorizations.empty()) {
    const std::optional<absl::string_view> token = BearerToken(evidence.authorizations.front());
    const Caller* caller = token.has_value() ? FindByToken(*token) : nullptr;
    if (caller == nullptr) return Unknown("the authorization header holds no bearer token of a configured caller");
    return caller;
  }
  for (const std::string& name : evidence.certificate_names) {
    if (const auto it = by_certificate_.find(name); it != by_certificate_.end()) return &callers_[it->second];
  }
  if (!evidence.certificate_names.empty()) {
    return Unknown("no URI or DNS name of the client's certificate is that of a configured caller");
  }
  return Unknown("the call brings neither a client certificate nor a bearer token");
}

}  // namespace credcache
