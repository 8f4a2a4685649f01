#include "backends/file_backend.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

absl::Status Stopping() { return absl::UnavailableError("the validator is stopping"); }
absl::Status TooLate() { return absl::UnavailableError("nobody waits for the answer any longer"); }

}  // namespace

struct FileBackend::Validation {
  Username name;
  Secret password;
  MonotonicTime deadline;
  ValidateDone done;
};

FileBackend::FileBackend(const FileBackendOptions& options, Clock& clock, Reporter& reporter,
                         std::shared_ptr<ChangeListener> changes, Waiting* waiting)
    : realm_(options.realm), clock_(clock), reader_(options.path, options.case_rule, clock, reporter, changes) {
  const int threads =
      options.threads > 0 ? options.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  lookups_ = std::make_unique<WorkerPool>("file-lookup", 1, options.max_queue, waiting);
  hashes_ = std::make_unique<WorkerPool>("file-hash", threads, options.max_queue, waiting);
  if (changes != nullptr) watch_ = std::make_unique<FileWatch>(options.path, [this] { reader_.Look(); });
}

FileBackend::~FileBackend() {
  // The pools run what is queued: now it answers at once.
  stopping_ = true;
  watch_.reset();
  hashes_.reset();
  lookups_.reset();
}

void FileBackend::Resolve(const NameQuery& query, ResolveDone done) {
  // Shared, since a full queue destroys the task and the answer is still owed.
  const auto shared_done = std::make_shared<ResolveDone>(std::move(done));
  const absl::Status queued = lookups_->Submit([this, name = query.name, shared_done] {
    if (stopping_) return (*shared_done)(Stopping());
    const auto file = reader_.Current();
    if (!file.ok()) return (*shared_done)(file.status());
    if ((*file)->Find(name) == nullptr) return (*shared_done)(std::nullopt);
    (*shared_done)(Account{.name = name, .subject = SubjectOf(name)});
  });
  if (!queued.ok()) (*shared_done)(queued);
}

void FileBackend::Validate(const LogOn& log_on, ValidateDone done) {
  // Known without looking: nobody's password is empty.
  if (log_on.password.empty()) return done(Verdict{.decision = Decision::kWrongPassword});
  const auto validation = std::make_shared<Validation>(
      Validation{.name = log_on.account == nullptr ? log_on.username : log_on.account->name,
                 .password = Secret(log_on.password),
                 .deadline = log_on.deadline,
                 .done = std::move(done)});
  const absl::Status queued = hashes_->Submit([this, validation] {
    auto verdict = Answer(*validation);
    if (!verdict.ok()) verdict = WithoutRejection(verdict.status());  // a file counts nothing
    // Wiped before others hear of it, not when the last of them lets go of the task.
    validation->password = Secret();
    validation->done(std::move(verdict));
  });
  if (!queued.ok()) validation->done(queued);
}

absl::StatusOr<Verdict> FileBackend::Answer(const Validation& validation) {
  if (stopping_) return Stopping();
  if (clock_.Monotonic() >= validation.deadline) return TooLate();
  const auto file = reader_.Current();
  if (!file.ok()) return file.status();

  const User* user = (*file)->Find(validation.name);
  const bool has_hash = user != nullptr && user->hash.has_value();
  const auto matches = (has_hash ? *user->hash : (*file)->commonest).Matches(validation.password.view());
  if (!matches.ok()) return matches.status();

  if (user == nullptr) return Verdict{.decision = Decision::kUnknownUser};
  if (!has_hash || !*matches) return Verdict{.decision = Decision::kWrongPassword};
  if (user->disabled) return Verdict{.decision = Decision::kAccountDisabled};
  if (clock_.Now() >= user->expires) return Verdict{.decision = Decision::kPasswordExpired};
  return Verdict{.decision = Decision::kAccepted,
                 .identity = Identity(validation.name.view(), SubjectOf(validation.name), user->details)};
}

std::string FileBackend::SubjectOf(const Username& name) const { return absl::StrCat(realm_, "/", name.view()); }

}  // namespace credcache
