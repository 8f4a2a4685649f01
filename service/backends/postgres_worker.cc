#include "backends/postgres_worker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

// Firewalls forget what is idle for longer.
constexpr absl::Duration kIdleLimit = absl::Minutes(5);
constexpr absl::Duration kHoldOff = absl::Milliseconds(100);

// Of text that the database's encoding does not have: nobody there can be called that.
constexpr absl::string_view kUntranslatable = "22P05";
constexpr absl::string_view kNotInRepertoire = "22021";

// What another connection may not suffer from: the server ends this one, or the statement was prepared for tables that
// look different now.
bool IsOfTheConnection(absl::string_view sqlstate) {
  return absl::StartsWith(sqlstate, "08") || absl::StartsWith(sqlstate, "57P") || sqlstate == "0A000" ||
         sqlstate == "26000";
}

PostgresStatement Described(const PGresult* result) {
  PostgresStatement statement;
  for (int i = 0; i < PQnparams(result); ++i) statement.parameters.push_back(PQparamtype(result, i));
  for (int i = 0; i < PQnfields(result); ++i) {
    statement.columns.push_back({.name = PQfname(result, i), .type = PQftype(result, i)});
  }
  return statement;
}

absl::Status Unavailable(const absl::Status& status) { return absl::UnavailableError(status.message()); }

}  // namespace

void PostgresState::Up(bool has_username) {
  naming_.store(has_username ? Naming::kCanonical : Naming::kAsAsked, std::memory_order_relaxed);
  {
    const absl::MutexLock lock(&mutex_);
    if (failure_.ok()) return;
    failure_ = absl::OkStatus();
  }
  Report(Severity::kInfo, "postgres_up", "the database answers again");
}

void PostgresState::Down(const absl::Status& why) {
  {
    const absl::MutexLock lock(&mutex_);
    failed_at_ = clock_.Monotonic();
    const bool known = !failure_.ok();
    failure_ = why;
    if (known) return;
  }
  Report(Severity::kError, "postgres_down", why.message());
}

absl::Status PostgresState::RecentFailure() const {
  const absl::MutexLock lock(&mutex_);
  return clock_.Monotonic() - failed_at_ < kHoldOff ? failure_ : absl::OkStatus();
}

std::optional<bool> PostgresState::has_username() const {
  const Naming naming = naming_.load(std::memory_order_relaxed);
  if (naming == Naming::kUnknown) return std::nullopt;
  return naming == Naming::kCanonical;
}

void PostgresState::Report(Severity severity, absl::string_view kind, absl::string_view text) {
  reporter_.Report(severity, kind, absl::StrCat(realm_, ": ", text));
}

absl::StatusOr<std::optional<Account>> PostgresWorker::Resolve(const NameQuery& query) {
  const auto kept = Connect(query.quarantined, query.deadline);
  if (!kept.ok()) return kept.status();
  if (!(*kept)->columns.username) return Account{.name = query.name};
  auto found = LookUp(query.name, query.quarantined, query.deadline);
  if (!found.ok()) return found.status();
  // Of several nobody knows which is meant; Validate reports it.
  if (!found->user) return std::nullopt;
  return std::move(found->user->account);
}

absl::StatusOr<Verdict> PostgresWorker::Validate(const Question& question) {
  absl::StatusOr<Verdict> verdict = ValidateNow(question);
  if (!verdict.ok()) return WithoutRejection(verdict.status());  // passwords are checked here, and nobody counts
  return verdict;
}

absl::StatusOr<Verdict> PostgresWorker::ValidateNow(const Question& question) {
  const auto found = LookUp(question.asked, question.quarantined, question.deadline);
  if (!found.ok()) return found.status();
  if (found->rows > 1) {
    state_.Report(Severity::kWarning, "postgres_ambiguous_name",
                  absl::StrCat("the query finds ", found->rows, " rows for ",
                               absl::Utf8SafeCHexEscape(question.asked.view()), ": taken for unknown"));
  }
  if (found->user && question.account && !(found->user->account.name == *question.account)) {
    return WithoutBlame(absl::UnavailableError("the name's account changed during the log-on"));
  }
  bool own = false;
  const PasswordHash hash = HashOf(found->user, question.asked, own);
  const auto matches = hash.Matches(question.password.view());
  if (!matches.ok()) return matches.status();
  if (!found->user) return Verdict{.decision = Decision::kUnknownUser};
  return VerdictOf(*found->user, *matches && own, clock_.Now());
}

PasswordHash PostgresWorker::HashOf(const std::optional<PostgresUser>& user, const Username& name, bool& own) {
  own = false;
  if (!user || !user->hash) return state_.typical_hash().Get();
  auto hash = PasswordHash::Parse(*user->hash);
  if (!hash.ok()) {
    state_.Report(
        Severity::kWarning, "postgres_bad_hash",
        absl::StrCat("no password of ", absl::Utf8SafeCHexEscape(name.view()), " is right: ", hash.status().message()));
    return state_.typical_hash().Get();
  }
  own = true;
  state_.typical_hash().Note(*hash);
  return *std::move(hash);
}

absl::StatusOr<PostgresWorker::Found> PostgresWorker::LookUp(const Username& name, bool quarantined,
                                                             MonotonicTime deadline) {
  for (bool again = false;; again = true) {
    const auto connected = Connect(quarantined, deadline);
    if (!connected.ok()) return connected.status();
    Kept& kept = **connected;
    if (name.view().size() > kept.columns.max_name_size) return Found();
    const MonotonicTime asked = clock_.Monotonic();
    const auto answer = kept.connection->ExecutePrepared(std::string(name.view()), deadline);
    if (answer.ok() && answer->sqlstate.empty()) {
      kept.last_used = clock_.Monotonic();
      auto found = FoundIn(*answer, kept.columns, name);
      if (found.ok()) TakeAsLong(asked, found->user.has_value(), deadline);
      return found.ok() ? std::move(found) : WithoutBlame(Trouble(found.status().message()));
    }
    if (answer.ok() && (answer->sqlstate == kUntranslatable || answer->sqlstate == kNotInRepertoire)) return Found();
    const bool lost = !answer.ok() || IsOfTheConnection(answer->sqlstate);
    if (lost) kept.connection.reset();
    const bool worth_another = answer.ok() ? lost : absl::IsUnavailable(answer.status());
    if (!kept.fresh && !again && worth_another) continue;
    return Trouble(answer.ok() ? absl::StrCat("the database refused the query: ", answer->message)
                               : std::string(answer.status().message()));
  }
}

// A row is read and sent, and takes that much longer than none.
void PostgresWorker::TakeAsLong(MonotonicTime asked, bool found, MonotonicTime deadline) {
  const MonotonicTime now = clock_.Monotonic();
  (found ? state_.found() : state_.not_found()).Learn(now - asked);
  if (found) return;
  const absl::Duration more = HowMuchLonger(state_.found(), state_.not_found());
  WaitUntil(clock_, std::min(now + more, deadline));
}

absl::Status PostgresWorker::Trouble(absl::string_view what) {
  state_.Report(Severity::kError, "postgres_query", what);
  return absl::UnavailableError(what);
}

absl::StatusOr<PostgresWorker::Found> PostgresWorker::FoundIn(const PostgresAnswer& answer,
                                                              const PostgresColumns& columns,
                                                              const Username& name) const {
  Found found = {.rows = answer.rows};
  if (found.rows != 1) return found;
  const PGresult* result = answer.result.get();
  PostgresRow row;
  for (int column = 0; column < PQnfields(result); ++column) {
    if (PQgetisnull(result, 0, column) == 1) {
      row.emplace_back();
    } else {
      row.emplace_back(
          absl::string_view(PQgetvalue(result, 0, column), static_cast<size_t>(PQgetlength(result, 0, column))));
    }
  }
  auto user = UserOf(row, columns, options_.identity, name);
  if (!user.ok()) return user.status();
  found.user = *std::move(user);
  return found;
}

absl::StatusOr<PostgresWorker::Kept*> PostgresWorker::Connect(bool quarantined, MonotonicTime deadline) {
  if (absl::Status status = Connect(usual_, deadline); !status.ok()) return status;
  if (!quarantined || !options_.feed || !usual_.connection->IsStandby()) return &usual_;
  // Who cannot be asked there in half of the time is asked of the standby.
  const MonotonicTime now = clock_.Monotonic();
  return Connect(primary_, now + (deadline - now) / 2).ok() ? &primary_ : &usual_;
}

absl::Status PostgresWorker::Connect(Kept& kept, MonotonicTime deadline) {
  const MonotonicTime start = clock_.Monotonic();
  kept.fresh = false;
  if (kept.connection != nullptr && start - kept.last_used < kIdleLimit) return absl::OkStatus();
  kept.connection.reset();
  if (absl::Status failure = state_.RecentFailure(); !failure.ok()) return failure;
  absl::Status opened = Open(kept, deadline);
  if (opened.ok()) {
    kept.last_used = clock_.Monotonic();
    kept.fresh = true;
    state_.Up(kept.columns.username.has_value());
    return opened;
  }
  kept.connection.reset();
  // Not the database's fault, if whoever asks had hardly any time left; and of the primary the feed says it.
  const bool fair = !absl::IsDeadlineExceeded(opened) || clock_.Monotonic() - start >= options_.timeout / 3;
  if (fair && &kept == &usual_) state_.Down(Unavailable(opened));
  return Unavailable(opened);
}

// Connects, prepares, and looks at what the statement takes and gives.
absl::Status PostgresWorker::Open(Kept& kept, MonotonicTime deadline) {
  auto connection = PostgresConnection::Open(
      {.dsn_file = options_.dsn_file, .timeout = options_.timeout, .primary = &kept == &primary_}, clock_, deadline);
  if (!connection.ok()) return connection.status();
  const auto described = (*connection)->Prepare(options_.query, deadline);
  if (!described.ok()) return described.status();
  if (!described->sqlstate.empty()) {
    return absl::UnavailableError(absl::StrCat("the database refuses the query: ", described->message));
  }
  auto columns = PostgresColumns::Of(Described(described->result.get()));
  if (!columns.ok()) return columns.status();
  kept.connection = *std::move(connection);
  kept.columns = *std::move(columns);
  return absl::OkStatus();
}

}  // namespace credcache
