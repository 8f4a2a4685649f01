#include "backends/pam_worker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "backends/pam_helper.h"
#include "backends/pam_verdict.h"

namespace credcache {
namespace {

// A helper is replaced after so many answers. Starting one takes some dozen milliseconds, which nobody waits for.
constexpr int kMostAnswers = 10'000;

// The first few may have been one user's bad luck.
constexpr int kFailuresWithoutPause = 3;
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(10);

std::vector<std::string> CommandFor(const PamBackendOptions& options) {
  std::vector<std::string> command = options.program;
  for (std::string& argument : PamHelperArguments({.service = options.service,
                               .config_folder = options.config_folder,
                               .system_users = options.system_users})) {
    command.push_back(std::move(argument));
  }
  return command;
}

}  // namespace

PamState::PamState(const PamBackendOptions& options, Clock& clock, Randomness& randomness, Reporter& reporter)
    : name_(absl::StrCat(options.realm, ": PAM service ", options.service)),
      command_(CommandFor(options)),
      clock_(clock),
      reporter_(reporter),
      rejection_(randomness) {}

absl::Status PamState::MayStart() const {
  const absl::MutexLock lock(&mutex_);
  if (clock_.Monotonic() >= not_before_) return absl::OkStatus();
  return absl::UnavailableError("helpers come to harm one after the other; the next is started after a pause");
}

void PamState::HelperFailed(const absl::Status& why) {
  {
    const absl::MutexLock lock(&mutex_);
    ++failures_;
    if (failures_ > kFailuresWithoutPause) {
      const int doublings = std::min(failures_ - kFailuresWithoutPause - 1, 10);
      not_before_ = clock_.Monotonic() + std::min(kFirstPause * (1 << doublings), kLongestPause);
    }
  }
  Report(Severity::kError, "pam_helper", why.message());
}

void PamState::HelperAnswered() {
  const absl::MutexLock lock(&mutex_);
  failures_ = 0;
}

void PamState::Report(Severity severity, absl::string_view kind, absl::string_view text) {
  reporter_.Report(severity, kind, absl::StrCat(name_, ": ", text));
}

absl::StatusOr<Verdict> PamWorker::Validate(const Question& question) {
  if (absl::Status status = EnsureHelper(question.deadline); !status.ok()) return WithoutRejection(status);
  const MonotonicTime asked = clock_.Monotonic();
  const auto answer = helper_->Ask(question.name.view(), question.password.view(), question.deadline);
  if (!answer.ok()) {
    const absl::Status failure = Failed(answer.status(), asked);
    return absl::IsAborted(answer.status()) ? WithoutRejection(failure) : failure;
  }
  state_.HelperAnswered();
  ++answers_;
  auto verdict = VerdictOf(*answer, {.realm = options_.realm, .case_rule = options_.case_rule});
  if (!verdict.ok()) {
    state_.Report(Severity::kError, "pam_stack", verdict.status().message());
    return verdict;
  }
  switch (verdict->decision) {
    case Decision::kWrongPassword:
      state_.rejection().Learn(clock_.Monotonic() - asked);
      break;
    case Decision::kUnknownUser:
    case Decision::kLocked:
      WaitAsLong(state_.rejection(), clock_, asked, question.deadline);
      break;
    default:
      break;
  }
  return verdict;
}

void PamWorker::Rest() {
  if (helper_ != nullptr && answers_ >= kMostAnswers) helper_.reset();
  if (helper_ != nullptr || !state_.MayStart().ok()) return;
  // What fails is reported, and tried again at the next question.
  StartHelper(clock_.Monotonic() + options_.timeout).IgnoreError();
}

absl::Status PamWorker::EnsureHelper(MonotonicTime deadline) {
  if (helper_ != nullptr && helper_->IsIdle()) return absl::OkStatus();
  if (helper_ != nullptr) {
    state_.Report(Severity::kWarning, "pam_helper",
                  absl::StrCat("a helper had nothing to do, and ", helper_->End(), "; another one is started"));
    helper_.reset();
  }
  if (absl::Status status = state_.MayStart(); !status.ok()) return status;
  return StartHelper(deadline);
}

absl::Status PamWorker::StartHelper(MonotonicTime deadline) {
  const MonotonicTime began = clock_.Monotonic();
  auto started = PamProcess::Start(state_.command(), state_.orphans(), clock_, deadline);
  if (!started.ok()) return Failed(started.status(), began);
  helper_ = *std::move(started);
  answers_ = 0;
  return absl::OkStatus();
}

absl::Status PamWorker::Failed(const absl::Status& why, MonotonicTime asked) {
  helper_.reset();
  absl::Status failure = absl::UnavailableError(why.message());
  // Not the stack's fault, if whoever asks had hardly any time left.
  if (absl::IsDeadlineExceeded(why) && clock_.Monotonic() - asked < options_.timeout / 3) return WithoutBlame(failure);
  state_.HelperFailed(failure);
  return failure;
}

}  // namespace credcache
