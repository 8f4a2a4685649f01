// Any bytes as what comes from a PAM helper, or goes to one: a message whose promises hold, or an error; never a crash.
// Who is let in has a name and a subject, within the limits. What was decoded is the same after another way.
#include <security/pam_appl.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "backends/pam_messages.h"
#include "backends/pam_verdict.h"
#include "base/limits.h"
#include "base/utf8.h"

namespace credcache {
namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckVerdict(const PamAnswer& answer) {
  const auto verdict = VerdictOf(answer, {.realm = "corp.example"});
  if (!verdict.ok()) return Check(absl::IsUnavailable(verdict.status()));
  const bool accepted = verdict->decision == Decision::kAccepted;
  Check(verdict->identity.empty() != accepted);
  if (!accepted) return;
  Check(answer.phase == PamPhase::kAccount && answer.code == PAM_SUCCESS);
  const auto name = Username::Normalize(verdict->identity.username(), CaseRule::kFold);
  Check(name.ok() && name->view() == verdict->identity.username());
  Check(!verdict->identity.subject().empty());
  size_t size = verdict->identity.subject().size();
  for (const std::string& group : verdict->identity.details().groups) {
    Check(IsUtf8(group));
    size += group.size();
  }
  Check(size <= kMaxIdentitySize && verdict->identity.details().groups.size() <= kMaxGroups);
}

void CheckAnswer(absl::string_view body) {
  const auto answer = DecodePamAnswer(body);
  if (!answer.ok()) return;
  if (body.size() <= kMaxPamAnswer) Check(EncodePamAnswer(*answer).substr(kPamFrameHeader) == body);
  CheckVerdict(*answer);
}

void CheckQuestion(absl::string_view body) {
  const auto question = DecodePamQuestion(SecretView(body));
  if (!question.ok()) return;
  const Secret frame = EncodePamQuestion(question->number, question->name, question->password.view());
  Check(frame.view().Expose().substr(kPamFrameHeader) == body);
}

}  // namespace
}  // namespace credcache

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  credcache::CheckAnswer(bytes);
  credcache::CheckQuestion(bytes);
  const auto body = credcache::PamBodySize(bytes.substr(0, credcache::kPamFrameHeader), credcache::kMaxPamAnswer);
  credcache::Check(!body.ok() || (*body > 0 && *body <= credcache::kMaxPamAnswer));
  return 0;
}
