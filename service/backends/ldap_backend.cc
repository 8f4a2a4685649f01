#include "backends/ldap_backend.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "backends/ldap_sigpipe.h"

namespace credcache {
namespace {

// libldap reads ldap.conf at its first use, which two threads must not do at once.
void InitializeLibldap() {
  LDAPAPIInfo info = {.ldapai_info_version = LDAP_API_INFO_VERSION};
  if (ldap_get_option(nullptr, LDAP_OPT_API_INFO, &info) == LDAP_OPT_SUCCESS) {
    ldap_memfree(info.ldapai_vendor_name);
    ldap_memvfree(reinterpret_cast<void**>(info.ldapai_extensions));
  }
}

}  // namespace

struct LdapBackend::Resolution {
  Username name;
  MonotonicTime deadline;
  ResolveDone done;
};

struct LdapBackend::Validation {
  LdapWorker::Question question;
  ValidateDone done;
};

LdapBackend::LdapBackend(LdapBackendOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
                         std::shared_ptr<ChangeListener> changes)
    : options_(std::move(options)),
      clock_(clock),
      servers_(options_.urls, clock, reporter),
      typical_{.rejection = LdapTypicalTime(randomness), .search = LdapTypicalTime(randomness)} {
  InitializeLibldap();
  {
    absl::MutexLock lock(&mutex_);
    for (int i = 0; i < options_.connections; ++i) {
      idle_.push_back(std::make_unique<LdapWorker>(options_, servers_, typical_, clock, randomness, reporter));
    }
  }
  threads_ = std::make_unique<WorkerPool>("ldap", options_.connections, options_.max_queue);
  if (changes != nullptr) {
    feed_ = std::make_unique<LdapFeed>(options_, clock, randomness, reporter, std::move(changes));
  }
}

LdapBackend::~LdapBackend() {
  // The pool runs what is queued: now it answers at once.
  stopping_ = true;
  feed_.reset();
  threads_.reset();
}

void LdapBackend::Resolve(const Username& username, MonotonicTime deadline, ResolveDone done) {
  if (LdapWorker::IsDirect(options_)) return done(Account{.name = username});
  // Shared, since a full queue destroys the work and the answer is still owed.
  const auto resolution = std::make_shared<Resolution>(
      Resolution{.name = username, .deadline = DeadlineFor(deadline), .done = std::move(done)});
  const absl::Status queued = Submit([this, resolution](LdapWorker& worker) {
    const absl::Status refusal = Refusal(resolution->deadline);
    if (!refusal.ok()) return resolution->done(refusal);
    resolution->done(worker.Resolve(resolution->name, resolution->deadline));
  });
  if (!queued.ok()) resolution->done(queued);
}

void LdapBackend::Validate(const LogOn& log_on, ValidateDone done) {
  // A bind with an empty password is an anonymous one, and succeeds.
  if (log_on.password.empty()) return done(Verdict{.decision = Decision::kWrongPassword});
  const auto validation = std::make_shared<Validation>();
  LdapWorker::Question& question = validation->question;
  question.name = log_on.account == nullptr ? log_on.username : log_on.account->name;
  if (log_on.account != nullptr) {
    question.known = log_on.account->known;
    question.locator = log_on.account->locator;
    question.identity = log_on.account->identity;
  }
  question.password = Secret(log_on.password);
  question.deadline = DeadlineFor(log_on.deadline);
  validation->done = std::move(done);
  const absl::Status queued = Submit([this, validation](LdapWorker& worker) {
    const absl::Status refusal = Refusal(validation->question.deadline);
    absl::StatusOr<Verdict> verdict =
        refusal.ok() ? worker.Validate(validation->question) : absl::StatusOr<Verdict>(WithoutRejection(refusal));
    // Wiped before others hear of it, not when the last of them lets go of the task.
    validation->question.password = Secret();
    validation->done(std::move(verdict));
  });
  if (!queued.ok()) validation->done(queued);
}

absl::Status LdapBackend::Submit(absl::AnyInvocable<void(LdapWorker&)> work) {
  return threads_->Submit([this, held_work = std::move(work)]() mutable {
    // For the thread's whole life, so that each call need not.
    static thread_local const LdapSigpipeGuard kGuard;
    std::unique_ptr<LdapWorker> worker;
    {
      // There are as many workers as threads.
      absl::MutexLock lock(&mutex_);
      worker = std::move(idle_.back());
      idle_.pop_back();
    }
    held_work(*worker);
    if (!stopping_) worker->Probe();
    absl::MutexLock lock(&mutex_);
    idle_.push_back(std::move(worker));
  });
}

MonotonicTime LdapBackend::DeadlineFor(MonotonicTime callers) const {
  return std::min(callers, clock_.Monotonic() + options_.timeout);
}

absl::Status LdapBackend::Refusal(MonotonicTime deadline) const {
  if (stopping_) return absl::UnavailableError("the validator is stopping");
  if (clock_.Monotonic() >= deadline) {
    return absl::UnavailableError("no connection to the directory became free in time");
  }
  return absl::OkStatus();
}

}  // namespace credcache
