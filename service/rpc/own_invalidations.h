// Invalidations that the service itself begins: for a change feed, or a reload. Appended, counted and audited.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "audit/audit_log.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/realm_feeds.h"
#include "base/reporter.h"
#include "journal/journal.h"
#include "metrics/metrics.h"

namespace credcache {

// Thread-safe; waits for nobody. All that it is given must outlive it, and what it has begun.
class OwnInvalidations {
 public:
  OwnInvalidations(Journal& journal, Metrics& metrics, AuditLog& audit, Clock& clock)
      : journal_(journal), metrics_(metrics), audit_(audit), clock_(clock) {}

  // The account of that canonical name. Needs no backend's answer, unlike Invalidator::User.
  void User(const std::string& realm, const std::string& username, InvalidationOrigin origin,
            const std::string& reason);
  void Realm(const std::string& realm, InvalidationOrigin origin, const std::string& reason);

  // For the change feed of one backend of a realm; its state goes to the log, to `metrics` and to `feeds`. This,
  // `metrics` and `reporter` must outlive it.
  struct Feed {
    std::string realm;
    std::string backend;  // "ldap", "file-2"
    BackendMetrics& metrics;
    std::shared_ptr<RealmFeeds> feeds;
    Reporter& reporter;
  };
  std::shared_ptr<ChangeListener> ListenerFor(Feed feed);

 private:
  void Append(Invalidation invalidation, InvalidationTarget target, InvalidationOrigin origin);

  Journal& journal_;
  Metrics& metrics_;
  AuditLog& audit_;
  Clock& clock_;
};

}  // namespace credcache
