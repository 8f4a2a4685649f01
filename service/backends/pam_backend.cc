#include "backends/pam_backend.h"

#include <utility>

#include "backends/pam_messages.h"

namespace credcache {
namespace {

bool MayBeSomebody(absl::string_view name) { return name.find_first_of("/:") == absl::string_view::npos; }

bool MayBeRight(SecretView password) {
  return !password.empty() && password.size() <= kMaxPamPasswordSize &&
         password.Expose().find('\0') == absl::string_view::npos;
}

}  // namespace

PamBackend::PamBackend(PamBackendOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
                       Waiting* waiting)
    : options_(std::move(options)), state_(options_, clock, randomness, reporter) {
  workers_ = std::make_unique<BackendWorkers<PamWorker>>(
      BackendWorkersOptions{.name = "pam",
                            .workers = options_.workers,
                            .want = "worker of the PAM stack",
                            .timeout = options_.timeout,
                            .max_queue = options_.max_queue,
                            .waiting = waiting},
      clock, [&] { return std::make_unique<PamWorker>(options_, state_, clock); });
}

void PamBackend::Resolve(const NameQuery& query, ResolveDone done) { done(Account{.name = query.name}); }

void PamBackend::Validate(const LogOn& log_on, ValidateDone done) {
  const Username& name = log_on.account == nullptr ? log_on.username : log_on.account->name;
  if (!MayBeSomebody(name.view())) return done(Verdict{.decision = Decision::kUnknownUser});
  if (!MayBeRight(log_on.password)) return done(Verdict{.decision = Decision::kWrongPassword});
  workers_->Validate({.name = name, .password = Secret(log_on.password), .deadline = log_on.deadline}, std::move(done));
}

}  // namespace credcache
