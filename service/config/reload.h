// What a changed configuration means for a server that runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"

namespace credcache {

struct ReloadPlan {
  // Keys that changed and take effect now, and keys that changed and need a restart: "audit.hits",
  // "realms.corp.example", "cache.buckets". Both in the order of the file; both empty: nothing changed.
  std::vector<std::string> live;
  std::vector<std::string> restart;
  // What to run with from now on: `next`, with what needs a restart left as it is.
  std::shared_ptr<const Config> config;
};

// Live: realms with their validators and limits, the cache's limits, callers, TLS files, listen.max_in_flight, audit,
// log. Restart: addresses, sockets and what belongs to an open port (insecure, max_connection_age), the cache's buckets
// and size, and whether there are tls, tls.client_ca and callers at all: a port that asks nobody who they are must not
// come of a reload that moves it to where that is allowed.
ReloadPlan PlanReload(const Config& running, const Config& next);

}  // namespace credcache
