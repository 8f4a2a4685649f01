// One connection to PostgreSQL, by libpq, that never waits longer than it is told to.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace credcache {

struct PostgresResultClearer {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PostgresResult = std::unique_ptr<PGresult, PostgresResultClearer>;

// What the server answered to a statement.
struct PostgresAnswer {
  PostgresResult result;  // the last of several; of rows the first; of a refusal nothing
  uint64_t rows = 0;
  std::string sqlstate;  // why the server refused; empty: it did not
  std::string message;   // the same for people; holds no data of any row
};

// Used by one thread at a time. Statuses: UNAVAILABLE, the connection is not there or broke; DEADLINE_EXCEEDED, nothing
// came in time; CANCELLED, `wake` can be read. After each of them the connection is of no use. A server that refuses a
// statement is an answer.
//
// Only the name's resolution may take longer than the deadline, as the system's resolver does. Times are as ISO, in
// UTC; text is UTF-8; the session is read-only.
class PostgresConnection {
 public:
  struct Settings {
    std::string dsn_file;  // read at each Open; neither it nor what libpq says of its syntax is ever told
    // The server itself ends statements that run longer, so that those we no longer wait for do not pile up there.
    absl::Duration timeout;
    bool primary = false;  // of several hosts the one that can be written to; else the first, or as the file says
    int wake = -1;         // a descriptor that ends every wait as soon as it can be read; -1: none
  };

  static absl::StatusOr<std::unique_ptr<PostgresConnection>> Open(const Settings& settings, Clock& clock,
                                                                  MonotonicTime deadline);
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  absl::StatusOr<PostgresAnswer> Execute(const std::string& sql, MonotonicTime deadline);
  // The connection's one prepared statement. The result describes it: PQnparams, PQnfields, ...
  absl::StatusOr<PostgresAnswer> Prepare(const std::string& sql, MonotonicTime deadline);
  // The result holds the first row, if there is one.
  absl::StatusOr<PostgresAnswer> ExecutePrepared(const std::string& parameter, MonotonicTime deadline);

  // Whether the server only follows another one, and may lag behind it; those before PostgreSQL 14 do not say so.
  bool IsStandby() const;

  // From then on, the payloads of that channel's notifications.
  absl::StatusOr<PostgresAnswer> Listen(const std::string& channel, MonotonicTime deadline);
  // Those that have come, without waiting.
  absl::StatusOr<std::vector<std::string>> TakeNotifications();
  // Until there is something to read. DEADLINE_EXCEEDED: nothing came, and the connection is as good as before.
  absl::Status WaitForInput(MonotonicTime deadline);

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  PostgresConnection(std::unique_ptr<PGconn, Closer> connection, int wake, Clock& clock)
      : connection_(std::move(connection)), wake_(wake), clock_(clock) {}

  absl::Status Connect(MonotonicTime deadline);
  absl::Status Wait(int events, MonotonicTime deadline);
  absl::StatusOr<PostgresAnswer> Collect(bool sent, MonotonicTime deadline);
  absl::Status Broken() const;

  const std::unique_ptr<PGconn, Closer> connection_;
  const int wake_;
  Clock& clock_;
};

}  // namespace credcache
