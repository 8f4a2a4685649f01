// One credcache server without its network: the parts that answer a log-on and forget on demand, composed as app.cc
// composes them, over the model directory and on simulated time.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "base/cache_policy.h"
#include "base/no_reporter.h"
#include "base/realm_ids.h"
#include "base/throttle_policy.h"
#include "cache/cache.h"
#include "cache/digest.h"
#include "cache/fake_randomness.h"
#include "journal/memory_journal.h"
#include "mail_day/agenda.h"
#include "mail_day/directory.h"
#include "metrics/metrics.h"
#include "rpc/invalidator.h"
#include "validator/budget.h"
#include "validator/flight.h"
#include "validator/realms.h"
#include "validator/shield.h"
#include "validator/sweeper.h"

namespace credcache::mail_day {

struct ServerOptions {
  CacheOptions cache;
  CachePolicy policy;
  ThrottlePolicy throttle;
  BudgetPolicy budget;
  uint64_t seed = 1;  // of the digests' key, so that a run can be repeated
};

// Not thread-safe. `agenda` and `directory` outlive it. Nothing may be under way when it is destroyed: let the agenda
// run out first.
class Server {
 public:
  Server(const ServerOptions& options, Agenda& agenda, Directory& directory);
  virtual ~Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void Authenticate(absl::string_view username, SecretView password, absl::string_view address,
                    Validator::ValidateDone done);
  // `done` is called when Invalidate would have returned to its caller. Virtual for tests that need a server which does
  // it wrong.
  virtual void Invalidate(absl::string_view username, absl::AnyInvocable<void()> done);
  // Once a second, as housekeeping does.
  void KeepHouse();

  CacheCounts cache_counts() const { return cache_.Counts(); }
  RealmCounts realm_counts() const { return realm_metrics_.Counts(); }

 private:
  std::shared_ptr<const Realms> BuildRealms(const ServerOptions& options, Directory& directory);

  Clock& clock_;
  SeededRandomness randomness_;
  Metrics metrics_{{}};
  RealmMetrics& realm_metrics_;
  const Digester digester_{randomness_};
  Cache cache_;
  Sweeper sweeper_{&cache_};
  FlightTable flights_;
  NoReporter reporter_;
  Budget budget_;
  Shield shield_;
  RealmIds realm_ids_;
  CurrentRealms realms_;
  MemoryJournal journal_;
  Invalidator invalidator_{realms_, journal_, clock_};
};

}  // namespace credcache::mail_day
