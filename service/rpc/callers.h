// Who calls, and what each caller may do. What is allowed comes from the caller's own identity, never from the request
// (api.md, `callers`).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/current.h"
#include "config/config.h"

namespace credcache {

// How a call came in.
enum class Transport : uint8_t { kClearText, kTls, kUnixSocket };

// What a call brings to show who makes it.
struct CallerEvidence {
  Transport transport = Transport::kClearText;
  std::string socket_caller;                   // whom the socket stands for; empty: nobody
  std::vector<std::string> certificate_names;  // URI and DNS names of the client's certificate, verified
  std::vector<std::string> authorizations;     // the `authorization` headers
};

// One caller. Immutable.
class Caller {
 public:
  // Whoever reaches us, where no callers are configured: may do everything. Named "anyone" in audit.
  static Caller Anyone();
  explicit Caller(const CallerConfig& config);

  const std::string& name() const { return name_; }
  // The caller's own, tighter bound on the age of cached verdicts; `asked`: the request's.
  std::optional<absl::Duration> MaxAge(std::optional<absl::Duration> asked) const;

  // OK, or an error of kMethodNotAllowed, kRealmNotAllowed, kAudienceNotAllowed. `realm` is a configured name.
  absl::Status MayDo(Permission permission) const;
  absl::Status MayUseRealm(absl::string_view realm) const;
  absl::Status MayUseAllRealms() const;
  // The empty audience stands for the caller itself.
  absl::Status MayName(absl::string_view audience) const;

 private:
  Caller() = default;

  std::string name_;
  PermissionSet allow_;
  std::optional<absl::flat_hash_set<std::string>> realms_;     // none: all
  std::optional<absl::flat_hash_set<std::string>> audiences_;  // none: all
  std::optional<absl::Duration> max_age_;
};

// The callers of one configuration. Immutable, so thread-safe.
class Callers {
 public:
  // Reads the token files. The error is for the operator and names the file: unreadable, empty, shorter than 16 bytes,
  // with other bytes than a header may carry, or with the same token as another caller's.
  static absl::StatusOr<std::shared_ptr<const Callers>> Load(const std::optional<std::vector<CallerConfig>>& config);

  // The caller that the evidence shows. kCallerUnknown, kTokenInTheClear. A unix socket's caller counts before a token,
  // a token before a certificate; a token that is wrong is never made up for by a certificate.
  absl::StatusOr<const Caller*> Identify(const CallerEvidence& evidence) const;

  // The caller that everybody is where none are configured, so that calls need collect no evidence; null: not so.
  const Caller* anyone() const { return anyone_.has_value() ? &*anyone_ : nullptr; }
  bool has_tokens() const { return !tokens_.empty(); }

 private:
  struct Token {
    std::array<uint8_t, 32> sha256;
    size_t caller;
  };

  Callers() = default;
  absl::Status AddToken(const CallerConfig& config, size_t caller);
  const Caller* FindByToken(absl::string_view token) const;

  std::optional<Caller> anyone_;
  std::vector<Caller> callers_;
  absl::flat_hash_map<std::string, size_t> by_name_;
  absl::flat_hash_map<std::string, size_t> by_certificate_;
  std::vector<Token> tokens_;
};

// The callers in force, exchanged as a whole at a reload.
using CurrentCallers = Current<Callers>;

}  // namespace credcache
