#include "backends/postgres_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/secret.h"

namespace credcache {
namespace {

constexpr size_t kMaxDsnSize = 16 << 10;
constexpr char kStatement[] = "credcache";

// libpq's errors are lines, often several: one for each host that was tried.
std::string OneLine(absl::string_view text) {
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(text), {{"\n\t", " "}, {"\n", "; "}, {"\t", " "}});
}

absl::StatusOr<Secret> ReadDsn(const std::string& path) {
  const auto failure = [&path](absl::string_view what) {
    return absl::UnavailableError(absl::StrCat("dsn_file ", path, " ", what));
  };
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failure(absl::StrCat("cannot be opened: ", std::strerror(errno)));
  const absl::Cleanup closer = [fd] { close(fd); };
  std::vector<char> buffer(kMaxDsnSize);
  const absl::Cleanup wipe = [&buffer] { WipeMemory(buffer.data(), buffer.size()); };
  size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = read(fd, buffer.data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(absl::StrCat("cannot be read: ", std::strerror(errno)));
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size == buffer.size()) return failure("is larger than 16 KiB");
  const absl::string_view text = absl::StripAsciiWhitespace(absl::string_view(buffer.data(), size));
  if (text.empty()) return failure("is empty");
  Secret dsn{SecretView(text)};
  // What libpq says of a string that it cannot read repeats parts of it.
  PQconninfoOption* options = PQconninfoParse(dsn.c_str(), nullptr);
  if (options == nullptr || absl::StrContains(text, '\0')) return failure("holds no connection string");
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (option->val != nullptr) WipeMemory(option->val, std::strlen(option->val));
  }
  PQconninfoFree(options);
  return dsn;
}

// Messages of these classes speak of the statement, the session or the server; those of others may quote a row's data,
// a hash even ("invalid input syntax for type ...: ...").
bool IsFreeOfData(absl::string_view sqlstate) {
  static constexpr std::array<absl::string_view, 12> kClasses = {"08", "0A", "25", "26", "28", "3D",
                                                                 "42", "53", "54", "55", "57", "58"};
  return std::any_of(kClasses.begin(), kClasses.end(),
                     [&](absl::string_view known) { return absl::StartsWith(sqlstate, known); });
}

void TakeRefusal(const PGresult* result, PostgresAnswer& answer) {
  const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  answer.sqlstate = sqlstate == nullptr ? "?????" : sqlstate;
  answer.message = absl::StrCat("SQLSTATE ", answer.sqlstate);
  if (message != nullptr && IsFreeOfData(answer.sqlstate)) {
    answer.message = absl::StrCat(OneLine(message), " (", answer.message, ")");
  }
}

void IgnoreNotice(void* /*argument*/, const PGresult* /*result*/) {}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresConnection::Open(const Settings& settings, Clock& clock,
                                                                             MonotonicTime deadline) {
  const auto dsn = ReadDsn(settings.dsn_file);
  if (!dsn.ok()) return dsn.status();
  const int64_t milliseconds = std::max<int64_t>(1, absl::ToInt64Milliseconds(settings.timeout));
  // Of a host that is silent the kernel gives up before we do, so that libpq has time for the next.
  const std::string user_timeout = absl::StrCat(std::max<int64_t>(1, milliseconds * 2 / 3));
  struct Parameter {
    const char* key;
    const char* value;
  };
  // What stands before dbname, the connection string overrides; what stands behind overrides it.
  // Kerberos would be asked for keys without a deadline.
  const std::array<Parameter, 10> parameters = {{{"fallback_application_name", "credcache"},
                                                 {"gssencmode", "disable"},
                                                 {"keepalives_idle", "30"},
                                                 {"keepalives_interval", "5"},
                                                 {"keepalives_count", "3"},
                                                 {"tcp_user_timeout", user_timeout.c_str()},
                                                 {"dbname", dsn->c_str()},
                                                 {"client_encoding", "UTF8"},
                                                 {settings.primary ? "target_session_attrs" : nullptr, "primary"},
                                                 {nullptr, nullptr}}};
  std::array<const char*, parameters.size()> keys{};
  std::array<const char*, parameters.size()> values{};
  for (size_t i = 0; i < parameters.size(); ++i) {
    keys[i] = parameters[i].key;
    values[i] = parameters[i].value;
  }
  std::unique_ptr<PGconn, Closer> started(PQconnectStartParams(keys.data(), values.data(), /*expand_dbname=*/1));
  if (started == nullptr) return absl::UnavailableError("libpq found no memory");
  auto connection =
      std::unique_ptr<PostgresConnection>(new PostgresConnection(std::move(started), settings.wake, clock));
  if (absl::Status status = connection->Connect(deadline); !status.ok()) return status;
  const auto set = connection->Execute(
      absl::StrCat("set statement_timeout = ", milliseconds,
                   "; set default_transaction_read_only = on; set datestyle = 'ISO'; set timezone = 'UTC'"),
      deadline);
  if (!set.ok()) return set.status();
  if (!set->sqlstate.empty()) return absl::UnavailableError(set->message);
  return connection;
}

bool PostgresConnection::IsStandby() const {
  const char* told = PQparameterStatus(connection_.get(), "in_hot_standby");
  return told != nullptr && absl::string_view(told) == "on";
}

absl::Status PostgresConnection::Connect(MonotonicTime deadline) {
  PGconn* connection = connection_.get();
  // By default libpq writes notices to stderr.
  PQsetNoticeReceiver(connection, IgnoreNotice, nullptr);
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (PQstatus(connection) != CONNECTION_BAD && state != PGRES_POLLING_FAILED) {
    if (state == PGRES_POLLING_OK) {
      PQsetnonblocking(connection, 1);
      return absl::OkStatus();
    }
    absl::Status waited = Wait(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
    if (absl::IsDeadlineExceeded(waited)) {
      const char* host = PQhost(connection);
      return absl::DeadlineExceededError(
          absl::StrCat("no connection to ", host == nullptr ? "the database" : host, " in time"));
    }
    if (!waited.ok()) return waited;
    state = PQconnectPoll(connection);
  }
  return Broken();
}

absl::StatusOr<PostgresAnswer> PostgresConnection::Execute(const std::string& sql, MonotonicTime deadline) {
  return Collect(PQsendQuery(connection_.get(), sql.c_str()) == 1, deadline);
}

absl::StatusOr<PostgresAnswer> PostgresConnection::Prepare(const std::string& sql, MonotonicTime deadline) {
  // Without a type for the parameter: the server infers citext, say, where the column has it.
  auto prepared = Collect(PQsendPrepare(connection_.get(), kStatement, sql.c_str(), 0, nullptr) == 1, deadline);
  if (!prepared.ok() || !prepared->sqlstate.empty()) return prepared;
  return Collect(PQsendDescribePrepared(connection_.get(), kStatement) == 1, deadline);
}

absl::StatusOr<PostgresAnswer> PostgresConnection::ExecutePrepared(const std::string& parameter,
                                                                   MonotonicTime deadline) {
  const std::array<const char*, 1> values = {parameter.c_str()};
  const bool sent = PQsendQueryPrepared(connection_.get(), kStatement, 1, values.data(), nullptr, nullptr, 0) == 1 &&
                    PQsetSingleRowMode(connection_.get()) == 1;
  return Collect(sent, deadline);
}

absl::StatusOr<PostgresAnswer> PostgresConnection::Listen(const std::string& channel, MonotonicTime deadline) {
  char* quoted = PQescapeIdentifier(connection_.get(), channel.data(), channel.size());
  if (quoted == nullptr) return Broken();
  const std::string sql = absl::StrCat("listen ", quoted);
  PQfreemem(quoted);
  return Execute(sql, deadline);
}

absl::StatusOr<std::vector<std::string>> PostgresConnection::TakeNotifications() {
  if (PQconsumeInput(connection_.get()) == 0) return Broken();
  std::vector<std::string> payloads;
  while (PGnotify* notification = PQnotifies(connection_.get())) {
    payloads.emplace_back(notification->extra);
    PQfreemem(notification);
  }
  return payloads;
}

absl::Status PostgresConnection::WaitForInput(MonotonicTime deadline) { return Wait(POLLIN, deadline); }

// Sends what is to be sent, and reads until the server is ready for the next statement.
absl::StatusOr<PostgresAnswer> PostgresConnection::Collect(bool sent, MonotonicTime deadline) {
  PGconn* connection = connection_.get();
  if (!sent) return Broken();
  while (true) {
    const int unsent = PQflush(connection);
    if (unsent < 0) return Broken();
    if (unsent == 0) break;
    // The server may wait for us to read before it reads on.
    if (absl::Status status = Wait(POLLIN | POLLOUT, deadline); !status.ok()) return status;
    if (PQconsumeInput(connection) == 0) return Broken();
  }
  PostgresAnswer answer;
  while (true) {
    while (PQisBusy(connection) == 1) {
      if (absl::Status status = Wait(POLLIN, deadline); !status.ok()) return status;
      if (PQconsumeInput(connection) == 0) return Broken();
    }
    PostgresResult result(PQgetResult(connection));
    if (result == nullptr) break;
    switch (PQresultStatus(result.get())) {
      case PGRES_SINGLE_TUPLE:
        if (++answer.rows > 1) continue;
        break;
      case PGRES_TUPLES_OK:
        if (answer.rows > 0) continue;  // the end of the rows
        answer.rows = static_cast<uint64_t>(PQntuples(result.get()));
        break;
      case PGRES_COMMAND_OK:
      case PGRES_EMPTY_QUERY:
        break;
      case PGRES_FATAL_ERROR:
        if (PQstatus(connection) == CONNECTION_BAD && PQresultErrorField(result.get(), PG_DIAG_SQLSTATE) == nullptr) {
          return Broken();
        }
        if (answer.sqlstate.empty()) TakeRefusal(result.get(), answer);
        continue;
      default:
        // COPY, and whatever else a configured statement must not be: the connection is in a state of its own now.
        return absl::UnavailableError("the statement is no query");
    }
    answer.result = std::move(result);
  }
  if (!answer.sqlstate.empty()) answer.result = nullptr;
  return answer;
}

absl::Status PostgresConnection::Wait(int events, MonotonicTime deadline) {
  while (true) {
    const int socket = PQsocket(connection_.get());
    if (socket < 0) return Broken();
    std::array<pollfd, 2> waits = {pollfd{.fd = socket, .events = static_cast<int16_t>(events)},
                                   pollfd{.fd = wake_, .events = POLLIN}};
    const absl::Duration left = deadline - clock_.Monotonic();
    if (left <= absl::ZeroDuration()) return absl::DeadlineExceededError("the database did not answer in time");
    const auto milliseconds = std::min<int64_t>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))),
                                                std::numeric_limits<int>::max());
    const int ready = poll(waits.data(), waits.size(), static_cast<int>(milliseconds));
    if (ready < 0 && errno != EINTR) return absl::UnavailableError(absl::StrCat("poll: ", std::strerror(errno)));
    if (ready > 0 && waits[1].revents != 0) return absl::CancelledError("the validator is stopping");
    if (ready > 0 && waits[0].revents != 0) return absl::OkStatus();
  }
}

absl::Status PostgresConnection::Broken() const {
  const std::string text = OneLine(PQerrorMessage(connection_.get()));
  return absl::UnavailableError(text.empty() ? "the connection to the database broke" : text);
}

}  // namespace credcache
