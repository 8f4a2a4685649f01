// Messages to and from a plug-in (protos/credcache/validator/v1), as bytes. Pure functions.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/names.h"
#include "base/secret.h"
#include "validator/validator.h"

namespace credcache {

grpc::ByteBuffer ResolveRequestBytes(absl::string_view realm, const Username& name);

// The bytes are wiped by whoever lets go of them last, this program or gRPC.
grpc::ByteBuffer ValidateRequestBytes(absl::string_view realm, const Username& name, SecretView password);

grpc::ByteBuffer WatchRequestBytes(absl::string_view realm);

struct RemoteRules {
  std::string realm;  // for the subject of who has none: REALM/USERNAME
  CaseRule case_rule = CaseRule::kFold;
};

// What a plug-in answered about `asked`. UNAVAILABLE for what breaks a rule of the protocol, with a text that says
// which: nothing is concluded from it.
absl::StatusOr<std::optional<Account>> AccountFrom(const grpc::ByteBuffer& bytes, const Username& asked,
                                                   const RemoteRules& rules);
absl::StatusOr<Verdict> VerdictFrom(const grpc::ByteBuffer& bytes, const Username& asked, const RemoteRules& rules);

// More changed accounts a second than these are not named one by one.
inline constexpr size_t kMaxRemoteNames = 10'000;

// A message of Watch.
struct RemoteChanges {
  std::vector<std::string> usernames;  // normalised; left out where `weight` is over kMaxRemoteNames
  bool everything = false;             // said so, or `mistake` is set
  std::string mistake;                 // the rule that it breaks; empty: none
  std::optional<absl::Duration> heartbeat;
  size_t weight = 1;  // what it costs to take in, in names
};
RemoteChanges ChangesFrom(const grpc::ByteBuffer& bytes, CaseRule case_rule);

}  // namespace credcache
