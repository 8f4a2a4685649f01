// Validates against a users file (users_file.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "backends/file_watch.h"
#include "backends/users_file_reader.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/names.h"
#include "base/reporter.h"
#include "base/waiting.h"
#include "base/worker_pool.h"
#include "validator/validator.h"

namespace credcache {

struct FileBackendOptions {
  std::string path;
  std::string realm;  // for subjects: REALM/USERNAME
  CaseRule case_rule = CaseRule::kFold;
  int threads = 0;  // that compute hashes; 0: as many as there are cores
  size_t max_queue = kMaxBackendQueue;
};

// Hashes are computed on threads of its own. A name that is not in the file, and one whose line is bad, cost the hash
// that most users have. What the file says of an account (disabled, expired) comes out only after the right password.
//
// Destroy it when no call is under way; what waits is answered UNAVAILABLE.
class FileBackend final : public Validator {
 public:
  // `changes` hears of every change of the file that makes a difference to a user, milliseconds after it. Null: the
  // file is looked at only when somebody asks. `waiting` counts who waits for a thread; may be null.
  FileBackend(const FileBackendOptions& options, Clock& clock, Reporter& reporter,
              std::shared_ptr<ChangeListener> changes = nullptr, Waiting* waiting = nullptr);
  ~FileBackend() override;

  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  struct Validation;

  absl::StatusOr<Verdict> Answer(const Validation& validation);
  std::string SubjectOf(const Username& name) const;

  const std::string realm_;
  Clock& clock_;
  UsersFileReader reader_;
  std::atomic<bool> stopping_ = false;
  // Look-ups have a thread of their own: they must not wait behind hashes.
  std::unique_ptr<WorkerPool> lookups_;
  std::unique_ptr<WorkerPool> hashes_;
  std::unique_ptr<FileWatch> watch_;  // null: nobody listens
};

}  // namespace credcache
