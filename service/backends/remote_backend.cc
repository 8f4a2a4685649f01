#include "backends/remote_backend.h"

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/remote_channel.h"
#include "backends/remote_status.h"

namespace credcache {

struct RemoteBackend::Call {
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  Answered answered;
};

RemoteBackend::RemoteBackend(RemoteBackendOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
                             std::shared_ptr<ChangeListener> changes)
    : options_(std::move(options)),
      rules_({.realm = options_.realm, .case_rule = options_.case_rule}),
      clock_(clock),
      reporter_(reporter),
      channel_(OpenRemoteChannel(options_)),
      stub_(channel_) {
  if (changes != nullptr) {
    feed_ = std::make_unique<RemoteFeed>(options_, channel_, clock, randomness, reporter, std::move(changes));
  }
}

RemoteBackend::~RemoteBackend() {
  feed_.reset();
  std::vector<std::shared_ptr<Call>> calls;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    calls.assign(calls_.begin(), calls_.end());
  }
  for (const std::shared_ptr<Call>& call : calls) call->context.TryCancel();
  absl::MutexLock lock(&mutex_);
  const auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return under_way_ == 0; };
  mutex_.Await(absl::Condition(&none));
}

void RemoteBackend::Resolve(const NameQuery& query, ResolveDone done) {
  // What the last plug-in could not, that of the next connection may.
  if (channel_->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_READY) cannot_resolve_ = false;
  if (cannot_resolve_) return done(Account{.name = query.name});
  const auto call = Admit(query.deadline);
  if (!call.ok()) return done(call.status());
  Send(*call, kResolve, ResolveRequestBytes(options_.realm, query.name),
       [this, name = query.name, done = std::move(done)](const grpc::Status& status,
                                                         const grpc::ByteBuffer& response) mutable {
         if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
           cannot_resolve_ = true;
           return done(Account{.name = name});
         }
         if (!status.ok()) return done(Failed(kResolve, status));
         auto account = AccountFrom(response, name, rules_);
         if (!account.ok()) {
           ReportBroken(kResolve, account.status());
           account = WithoutBlame(account.status());
         }
         done(std::move(account));
       });
}

void RemoteBackend::Validate(const LogOn& log_on, ValidateDone done) {
  // Known without asking: nobody's password is empty.
  if (log_on.password.empty()) return done(Verdict{.decision = Decision::kWrongPassword});
  const Username name = log_on.account == nullptr ? log_on.username : log_on.account->name;
  const auto call = Admit(log_on.deadline);
  if (!call.ok()) return done(call.status());
  Send(*call, kValidate, ValidateRequestBytes(options_.realm, name, log_on.password),
       [this, name, password = Secret(log_on.password), done = std::move(done)](
           const grpc::Status& status, const grpc::ByteBuffer& response) mutable {
         absl::StatusOr<Verdict> verdict;
         if (status.ok()) {
           verdict = VerdictFrom(response, name, rules_);
           if (verdict.ok()) {
             ReportAnswering();
           } else {
             ReportBroken(kValidate, verdict.status());
             verdict = WithoutBlame(verdict.status());
           }
         } else {
           verdict = Failed(kValidate, status, password.view());
         }
         // Wiped before others hear of the verdict.
         password = Secret();
         done(std::move(verdict));
       });
}

absl::StatusOr<RemoteBackend::Call*> RemoteBackend::Admit(MonotonicTime deadline) {
  const absl::Duration left = std::min(deadline - clock_.Monotonic(), options_.timeout);
  if (left <= absl::ZeroDuration()) return WithoutBlame(absl::UnavailableError("no time is left to ask the plug-in"));
  auto call = std::make_shared<Call>();
  call->context.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(absl::ToInt64Nanoseconds(left), GPR_TIMESPAN)));
  absl::MutexLock lock(&mutex_);
  if (stopping_) return absl::UnavailableError("the validator is stopping");
  if (under_way_ >= options_.max_in_flight) {
    return absl::ResourceExhaustedError("too many requests wait for the plug-in");
  }
  ++under_way_;
  calls_.insert(call);
  return call.get();
}

void RemoteBackend::Send(Call* call, const Method& method, grpc::ByteBuffer request, Answered answered) {
  call->request.Swap(&request);
  call->answered = std::move(answered);
  stub_.UnaryCall(&call->context, method.path, grpc::StubOptions(), &call->request, &call->response,
                  [this, call](const grpc::Status& status) {
                    call->request.Clear();
                    call->answered(status, call->response);
                    call->answered = nullptr;
                    End(call);
                  });
}

void RemoteBackend::End(Call* call) {
  std::shared_ptr<Call> ended;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = calls_.find(call);
    ended = *found;
    calls_.erase(found);
  }
  // The context holds the channel, whose destructor joins gRPC's threads: it must not run on one of them, as the last
  // after the destructor of this.
  ended.reset();
  absl::MutexLock lock(&mutex_);
  --under_way_;
}

absl::Status RemoteBackend::Failed(const Method& method, const grpc::Status& status, SecretView secret) {
  failing_ = true;
  reporter_.Report(Severity::kWarning, "remote_error",
                   absl::StrCat(options_.address, ": ", method.name, ": ", StatusText(status, secret)));
  absl::Status error = absl::UnavailableError(absl::StrCat(options_.address, ": the plug-in did not answer"));
  const bool answered = status.error_code() != grpc::StatusCode::UNAVAILABLE &&
                        status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED;
  return answered ? WithoutBlame(std::move(error)) : error;
}

void RemoteBackend::ReportBroken(const Method& method, const absl::Status& status) {
  failing_ = true;
  reporter_.Report(Severity::kError, "remote_answer",
                   absl::StrCat(options_.address, ": ", method.name, ": ", status.message()));
}

void RemoteBackend::ReportAnswering() {
  if (!failing_.load(std::memory_order_relaxed) || !failing_.exchange(false)) return;
  reporter_.Report(Severity::kInfo, "remote_answers", absl::StrCat(options_.address, ": answers again"));
}

}  // namespace credcache
