// The change feed of a PostgreSQL database: LISTEN on one channel, whose payloads are usernames (`*`: anybody).
// `credcachectl sql` prints the trigger that notifies.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "backends/postgres_connection.h"
#include "backends/postgres_payload.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/random.h"
#include "base/reporter.h"

namespace credcache {

struct PostgresFeedOptions {
  std::string dsn_file;
  std::string channel;
  std::string realm;  // for reports
  CaseRule case_rule = CaseRule::kFold;
  absl::Duration timeout;  // of connecting, and of each sign of life
};

// Starts a thread with a connection of its own; ends both in the destructor. A connection that is lost is opened again,
// after 100 ms and then ever more, up to 5 s. What was notified meanwhile is lost: on each new one everything is said
// to have changed. A link that died without a word is noticed within 3 s and `timeout`.
class PostgresFeed {
 public:
  PostgresFeed(PostgresFeedOptions options, Clock& clock, Randomness& randomness, Reporter& reporter,
               std::shared_ptr<ChangeListener> changes);
  ~PostgresFeed();
  PostgresFeed(const PostgresFeed&) = delete;
  PostgresFeed& operator=(const PostgresFeed&) = delete;

 private:
  void Run();
  // Listens until that ends, and says why.
  absl::Status Listen();
  absl::Status ListenOn(PostgresConnection& connection);
  void Hear(const std::vector<std::string>& payloads);
  void ForgetEverythingIfDue();
  // Whether the destructor was called meanwhile.
  bool Pause(absl::Duration length) const;

  const PostgresFeedOptions options_;
  Clock& clock_;
  Randomness& randomness_;
  Reporter& reporter_;
  const std::shared_ptr<ChangeListener> changes_;
  const int wake_;  // an eventfd: readable once the destructor has been called
  Pacer everything_;
  Pacer junk_reports_;
  size_t junk_ = 0;      // since the last report
  bool was_up_ = false;  // since the last attempt to connect
  std::thread thread_;
};

}  // namespace credcache
