// Any bytes as what a plug-in says: a verdict whose promises hold, or an error; never a crash. Who is let in has a name
// and a subject, within the limits.
#include <google/protobuf/stubs/logging.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "backends/remote_messages.h"
#include "base/limits.h"
#include "base/utf8.h"

namespace credcache {
namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckName(absl::string_view name, CaseRule rule) {
  const auto normalised = Username::Normalize(name, rule);
  Check(normalised.ok() && normalised->view() == name);
}

void CheckVerdict(const Verdict& verdict, CaseRule rule) {
  Check(verdict.identity.empty() == (verdict.decision != Decision::kAccepted));
  if (verdict.identity.empty()) return;
  CheckName(verdict.identity.username(), rule);
  const IdentityDetails& details = verdict.identity.details();
  size_t size = verdict.identity.subject().size();
  Check(size > 0 && IsUtf8(verdict.identity.subject()));
  for (const std::string& group : details.groups) {
    Check(IsUtf8(group));
    size += group.size();
  }
  for (const auto& [name, value] : details.attributes) {
    Check(IsUtf8(name) && IsUtf8(value));
    size += name.size() + value.size();
  }
  Check(details.groups.size() <= kMaxGroups && details.attributes.size() <= kMaxAttributes && size <= kMaxIdentitySize);
}

void CheckMessage(const grpc::ByteBuffer& bytes, CaseRule rule) {
  static const Username kAsked = *Username::Normalize("alice", CaseRule::kFold);
  const RemoteRules rules = {.realm = "corp.example", .case_rule = rule};
  const auto verdict = VerdictFrom(bytes, kAsked, rules);
  if (verdict.ok()) CheckVerdict(*verdict, rule);
  Check(verdict.ok() || absl::IsUnavailable(verdict.status()));
  const auto account = AccountFrom(bytes, kAsked, rules);
  if (account.ok() && account->has_value()) CheckName((*account)->name.view(), rule);
  Check(account.ok() || absl::IsUnavailable(account.status()));
  const RemoteChanges changes = ChangesFrom(bytes, rule);
  for (const std::string& name : changes.usernames) CheckName(name, rule);
  Check(changes.weight >= 1 && (changes.mistake.empty() || changes.everything));
}

}  // namespace
}  // namespace credcache

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A line about each text that is not UTF-8 would take most of the time.
  google::protobuf::SetLogHandler(nullptr);
  const grpc::Slice slice(data, size);
  const grpc::ByteBuffer bytes(&slice, 1);
  credcache::CheckMessage(bytes, credcache::CaseRule::kFold);
  credcache::CheckMessage(bytes, credcache::CaseRule::kSensitive);
  return 0;
}
