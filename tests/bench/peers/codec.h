// The peers' protocols as bytes: pure functions. Requests are appended to a buffer; a reply is taken off the front of
// what has come, and only when it is whole.
//
// saslauthd: Cyrus SASL 2.1.28. Dovecot auth, client side: version 1.2 of its protocol, as 2.3 speaks it. HTTP: RFC
// 9112, Basic: RFC 7617.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace credcache::peers {

// login, password, service and realm, each after its length.
void AppendSaslauthdRequest(absl::string_view login, absl::string_view password, absl::string_view service,
                            absl::string_view realm, std::string* to);
// The whole of what a connection brought: whether it says OK. UNAVAILABLE when it is no answer: a temporary failure.
absl::StatusOr<bool> ReadSaslauthdReply(absl::string_view bytes);

// What a client says first.
void AppendDovecotHandshake(uint32_t client_id, std::string* to);
void AppendDovecotRequest(uint32_t id, absl::string_view service, absl::string_view username,
                          absl::string_view password, std::string* to);
// The next line without its end, taken off `bytes`; none while it is not whole.
std::optional<absl::string_view> TakeLine(absl::string_view* bytes);

struct DovecotReply {
  enum class Kind { kOther, kDone, kOk, kFail };
  Kind kind = Kind::kOther;
  uint32_t id = 0;
};
// A line of the server's. UNAVAILABLE for a temporary failure; INTERNAL when it is malformed, or of another version.
absl::StatusOr<DovecotReply> ReadDovecotLine(absl::string_view line);

void AppendHttpRequest(absl::string_view path, absl::string_view host, absl::string_view username,
                       absl::string_view password, std::string* to);
// The status of the next response, which is taken off `bytes` with its body; none while it is not whole. INTERNAL when
// it is none that has a Content-Length, or none at all.
absl::StatusOr<std::optional<int>> TakeHttpResponse(absl::string_view* bytes);

}  // namespace credcache::peers
