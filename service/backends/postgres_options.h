// How to ask a database (api.md, section 2, `postgres`).
#pragma once

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "backends/postgres_rows.h"
#include "base/limits.h"

namespace credcache {

struct PostgresBackendOptions {
  std::string dsn_file;  // read whenever a connection is opened; whitespace at the ends does not count
  std::string query;     // with $1
  PostgresIdentityRules identity;
  int connections = 8;                        // threads, each with a connection; the feed has one more
  absl::Duration timeout = absl::Seconds(3);  // of one question, from when it was asked to its answer
  bool feed = false;
  std::string channel = "credcache";
  size_t max_queue = kMaxBackendQueue;
};

}  // namespace credcache
