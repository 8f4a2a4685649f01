// How a directory tells what changes in it. There is more than one way (LdapSyncFollower, LdapNoticeFollower); LdapFeed
// drives whichever the server offers.
#pragma once

#include "absl/status/status.h"
#include "backends/ldap_connection.h"
#include "backends/ldap_root.h"
#include "base/clock.h"

namespace credcache {

// Puts what it hears into an LdapSyncedContent or more (ldap_sync.h), which outlive it. Used by one thread at a time.
class LdapFollower {
 public:
  virtual ~LdapFollower() = default;

  // Sends what begins it, over a connection that was just opened to the server with that root. What changed since
  // the last one was lost is found by what comes then. UNAVAILABLE: that connection is of no use.
  virtual absl::Status Begin(LdapConnection& connection, const LdapRoot& root, MonotonicTime deadline) = 0;

  // Any message of that connection; some come at least every few seconds (LdapFeed's heartbeat). Those that are not its
  // own it passes over. UNAVAILABLE: it can follow no longer; begin with another connection.
  virtual absl::Status Take(LdapConnection& connection, const LdapEvent& event) = 0;

  // Whether all that was so at the last Begin has been put.
  virtual bool refreshed() const = 0;
};

}  // namespace credcache
