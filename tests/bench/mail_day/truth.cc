#include "mail_day/truth.h"

namespace credcache::mail_day {
namespace {

Judgement RightIf(bool right) { return right ? Judgement::kRight : Judgement::kWrong; }

}  // namespace

void Truth::InvalidateReturned(int32_t user, Order called, Order returned) {
  const auto found = changes_.find(user);
  if (found == changes_.end()) return;
  Change& change = found->second;
  if (called > change.at && change.invalidated == kNever) change.invalidated = returned;
}

Judgement Truth::Judge(int32_t user, Password password, Order received, Order answered, bool accepted) const {
  if (password.kind != Password::Kind::kOwn || password.number < 0) return RightIf(!accepted);
  const auto change = changes_.find(user);
  if (change == changes_.end()) return RightIf(accepted == (password.number == 0));
  return JudgeChanged(change->second, password.number, received, answered, accepted);
}

Judgement Truth::JudgeChanged(const Change& change, int32_t version, Order received, Order answered,
                              bool accepted) const {
  // Any answer that was true at some moment while the log-on was under way is right.
  const bool was_right = version == 0 ? received < change.at : answered >= change.at;
  const bool was_wrong = version == 0 ? answered >= change.at : received < change.at;
  if (accepted ? was_right : was_wrong) return Judgement::kRight;
  // The answer was true before the change, and the server has not yet been told of it.
  const bool was_true_before = accepted == (version == 0);
  return was_true_before && received < change.invalidated ? Judgement::kStaleWindow : Judgement::kWrong;
}

}  // namespace credcache::mail_day
