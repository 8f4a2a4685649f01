// One thread's conversation with a database: looks users up, and computes their hashes.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "backends/postgres_connection.h"
#include "backends/postgres_options.h"
#include "backends/postgres_rows.h"
#include "backends/typical_hash.h"
#include "backends/typical_time.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/random.h"
#include "base/reporter.h"
#include "base/secret.h"
#include "validator/validator.h"

namespace credcache {

// What the workers of one backend know together. Thread-safe.
class PostgresState {
 public:
  PostgresState(std::string realm, Clock& clock, Randomness& randomness, Reporter& reporter)
      : realm_(std::move(realm)), clock_(clock), reporter_(reporter), found_(randomness), not_found_(randomness) {}

  // A connection was opened and its statement is right, or why not; the first of either kind is reported.
  void Up(bool has_username);
  void Down(const absl::Status& why);
  // Why not even to try, for a moment after a failure: a database that is away is not hammered.
  absl::Status RecentFailure() const;

  // Whether the statement tells canonical names; nothing: no connection has described it yet.
  std::optional<bool> has_username() const;

  TypicalHash& typical_hash() { return typical_hash_; }
  // Of questions that find a row, and of those that find none.
  TypicalTime& found() { return found_; }
  TypicalTime& not_found() { return not_found_; }
  // As Reporter::Report, with the realm before the text.
  void Report(Severity severity, absl::string_view kind, absl::string_view text);

 private:
  enum class Naming : uint8_t { kUnknown, kAsAsked, kCanonical };

  const std::string realm_;
  Clock& clock_;
  Reporter& reporter_;
  TypicalHash typical_hash_;
  TypicalTime found_;
  TypicalTime not_found_;
  std::atomic<Naming> naming_ = Naming::kUnknown;
  mutable absl::Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);  // OK: the last connection could be opened
  MonotonicTime failed_at_ ABSL_GUARDED_BY(mutex_);
};

// Used by one thread at a time; each call blocks, to its deadline at most, and then for one hash. Errors are
// UNAVAILABLE. A connection that was kept may prove dead: the question, which only reads, is asked once more on a new
// one. Keeps one connection open, and another to the primary for the quarantined where that one is to a standby.
class PostgresWorker {
 public:
  // All must outlive it; `state` is shared with the other workers.
  PostgresWorker(const PostgresBackendOptions& options, PostgresState& state, Clock& clock)
      : options_(options), state_(state), clock_(clock) {}

  absl::StatusOr<std::optional<Account>> Resolve(const NameQuery& query);

  struct Question {
    Username asked;
    std::optional<Username> account;  // what a Resolve said that `asked` stands for
    Secret password;                  // not empty
    MonotonicTime deadline;
    bool quarantined = false;  // as in LogOn
  };
  // By what the database holds now.
  absl::StatusOr<Verdict> Validate(const Question& question);

  void Rest() {}

 private:
  struct Kept {
    std::unique_ptr<PostgresConnection> connection;
    PostgresColumns columns;
    MonotonicTime last_used;
    bool fresh = false;  // opened for this question
  };
  struct Found {
    uint64_t rows = 0;
    std::optional<PostgresUser> user;  // of the one row
  };

  absl::StatusOr<Verdict> ValidateNow(const Question& question);
  absl::StatusOr<Found> LookUp(const Username& name, bool quarantined, MonotonicTime deadline);
  absl::StatusOr<Found> FoundIn(const PostgresAnswer& answer, const PostgresColumns& columns,
                                const Username& name) const;
  // The hash to compare with: the user's, or for who has none one that costs as much.
  PasswordHash HashOf(const std::optional<PostgresUser>& user, const Username& name, bool& own);
  void TakeAsLong(MonotonicTime asked, bool found, MonotonicTime deadline);
  // Reports what is wrong with a question or its answer, and makes an error of it.
  absl::Status Trouble(absl::string_view what);
  // Whom to ask.
  absl::StatusOr<Kept*> Connect(bool quarantined, MonotonicTime deadline);
  absl::Status Connect(Kept& kept, MonotonicTime deadline);
  absl::Status Open(Kept& kept, MonotonicTime deadline);

  const PostgresBackendOptions& options_;
  PostgresState& state_;
  Clock& clock_;
  Kept usual_;
  Kept primary_;  // where the feed listens
};

}  // namespace credcache
