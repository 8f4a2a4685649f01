#include "backends/remote_messages.h"

#include <grpcpp/support/slice.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "credcache/validator/v1/validator.pb.h"

namespace credcache {
namespace {

namespace v1 = validator::v1;

constexpr absl::Duration kShortestHeartbeat = absl::Milliseconds(100);
constexpr absl::Duration kLongestHeartbeat = absl::Hours(1);

void WipeAndFree(void* bytes, size_t size) {
  WipeMemory(bytes, size);
  delete[] static_cast<uint8_t*>(bytes);
}

// In memory of our own, whatever the size: gRPC keeps short slices by value, in copies that nobody wipes.
grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  auto bytes = std::make_unique<uint8_t[]>(size);
  message.SerializeWithCachedSizesToArray(bytes.get());
  const grpc::Slice slice(bytes.release(), size, WipeAndFree);
  return grpc::ByteBuffer(&slice, 1);
}

void Assign(absl::string_view value, std::string* field) { field->assign(value.data(), value.size()); }

// Whether it is a message of that type, with text that is UTF-8.
bool Parse(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite* message) {
  grpc::Slice slice;
  if (!bytes.TrySingleSlice(&slice).ok() && !bytes.DumpToSingleSlice(&slice).ok()) return false;
  return message->ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

absl::Status Broken(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("the plug-in's answer ", what));
}

std::optional<Decision> DecisionOf(v1::Decision decision) {
  switch (decision) {
    case v1::DECISION_ACCEPTED:
      return Decision::kAccepted;
    case v1::DECISION_UNKNOWN_USER:
      return Decision::kUnknownUser;
    case v1::DECISION_WRONG_PASSWORD:
      return Decision::kWrongPassword;
    case v1::DECISION_LOCKED:
      return Decision::kLocked;
    case v1::DECISION_ACCOUNT_DISABLED:
      return Decision::kAccountDisabled;
    case v1::DECISION_PASSWORD_EXPIRED:
      return Decision::kPasswordExpired;
    default:
      return std::nullopt;
  }
}

absl::StatusOr<Username> CanonicalName(const std::string& told, const Username& asked, CaseRule rule) {
  if (told.empty()) return asked;
  auto name = Username::Normalize(told, rule);
  if (!name.ok()) return Broken(absl::StrCat("has a username that is none: ", name.status().message()));
  return name;
}

absl::StatusOr<Identity> IdentityFrom(const v1::Identity& told, const Username& asked, const RemoteRules& rules) {
  const auto name = CanonicalName(told.username(), asked, rules.case_rule);
  if (!name.ok()) return name.status();
  const std::string subject = told.subject().empty() ? absl::StrCat(rules.realm, "/", name->view()) : told.subject();
  IdentityDetails details;
  size_t size = subject.size();
  for (const std::string& group : told.groups()) size += group.size();
  for (const auto& [key, value] : told.attributes()) size += key.size() + value.size();
  if (told.subject().size() > kMaxSubjectSize || told.groups_size() > static_cast<int>(kMaxGroups) ||
      told.attributes().size() > kMaxAttributes || size > kMaxIdentitySize) {
    return Broken(absl::StrCat("has an identity that is too large: a subject of ", told.subject().size(), " bytes, ",
                               told.groups_size(), " groups, ", told.attributes().size(), " attributes, ", size,
                               " bytes in all"));
  }
  details.groups.assign(told.groups().begin(), told.groups().end());
  details.attributes.assign(told.attributes().begin(), told.attributes().end());
  std::sort(details.attributes.begin(), details.attributes.end());
  const bool has_details = !details.groups.empty() || !details.attributes.empty();
  return Identity(name->view(), subject,
                  has_details ? Shared<IdentityDetails>(std::move(details)) : Shared<IdentityDetails>());
}

}  // namespace

grpc::ByteBuffer ResolveRequestBytes(absl::string_view realm, const Username& name) {
  v1::ResolveRequest request;
  Assign(realm, request.mutable_realm());
  Assign(name.view(), request.mutable_username());
  return Serialize(request);
}

grpc::ByteBuffer ValidateRequestBytes(absl::string_view realm, const Username& name, SecretView password) {
  v1::ValidateRequest request;
  Assign(realm, request.mutable_realm());
  Assign(name.view(), request.mutable_username());
  std::string* field = request.mutable_password();
  field->reserve(password.size());
  Assign(password.Expose(), field);
  grpc::ByteBuffer bytes = Serialize(request);
  WipeMemory(field->data(), field->size());
  return bytes;
}

grpc::ByteBuffer WatchRequestBytes(absl::string_view realm) {
  v1::WatchRequest request;
  Assign(realm, request.mutable_realm());
  return Serialize(request);
}

absl::StatusOr<std::optional<Account>> AccountFrom(const grpc::ByteBuffer& bytes, const Username& asked,
                                                   const RemoteRules& rules) {
  v1::ResolveResponse response;
  if (!Parse(bytes, &response)) return Broken("is no ResolveResponse");
  switch (response.resolution()) {
    case v1::RESOLUTION_FOUND: {
      auto name = CanonicalName(response.username(), asked, rules.case_rule);
      if (!name.ok()) return name.status();
      return Account{.name = *std::move(name)};
    }
    case v1::RESOLUTION_UNKNOWN_USER:
      return std::nullopt;
    default:
      return Broken("has no resolution");
  }
}

absl::StatusOr<Verdict> VerdictFrom(const grpc::ByteBuffer& bytes, const Username& asked, const RemoteRules& rules) {
  v1::ValidateResponse response;
  if (!Parse(bytes, &response)) return Broken("is no ValidateResponse");
  const std::optional<Decision> decision = DecisionOf(response.decision());
  if (!decision.has_value()) return Broken(absl::StrCat("has no decision (", response.decision(), ")"));
  if (*decision != Decision::kAccepted) return Verdict{.decision = *decision};
  auto identity = IdentityFrom(response.identity(), asked, rules);
  if (!identity.ok()) return identity.status();
  return Verdict{.decision = Decision::kAccepted, .identity = *std::move(identity)};
}

RemoteChanges ChangesFrom(const grpc::ByteBuffer& bytes, CaseRule case_rule) {
  RemoteChanges changes;
  v1::WatchResponse response;
  changes.weight = std::max<size_t>(1, bytes.Length() / kMaxUsernameSize);
  if (!Parse(bytes, &response)) {
    changes.everything = true;
    changes.mistake = "is no WatchResponse";
    return changes;
  }
  changes.everything = response.everything();
  changes.weight = std::max(changes.weight, static_cast<size_t>(response.usernames_size()));
  if (response.has_heartbeat()) {
    const auto& told = response.heartbeat();
    const absl::Duration heartbeat = absl::Seconds(told.seconds()) + absl::Nanoseconds(told.nanos());
    changes.heartbeat = std::clamp(heartbeat, kShortestHeartbeat, kLongestHeartbeat);
  }
  if (changes.weight > kMaxRemoteNames) return changes;
  for (const std::string& told : response.usernames()) {
    const auto name = Username::Normalize(told, case_rule);
    if (!name.ok()) {
      changes.everything = true;
      changes.mistake = absl::StrCat("has a username that is none: ", name.status().message());
      break;
    }
    changes.usernames.emplace_back(name->view());
  }
  return changes;
}

}  // namespace credcache
