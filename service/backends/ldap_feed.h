// The change feed of an LDAP directory: by content synchronisation (OpenLDAP) or by notices (Active Directory).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "backends/ldap_accounts.h"
#include "backends/ldap_connection.h"
#include "backends/ldap_follower.h"
#include "backends/ldap_groups.h"
#include "backends/ldap_options.h"
#include "backends/servers.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reporter.h"

namespace credcache {

// Watches every entry under `base`, and where verdicts rest on groups (memberOf, or nested groups) also the entries of
// groups in the same naming context. Has a thread and a connection of its own, at the first server in the configured
// order that serves it. After a loss it tries again by itself, soon at first, then every 5 s, and a server that refuses
// the account every 30 s.
//
// A server that falls silent is noticed: it is asked something once a second, on the same connection, and has `timeout`
// to answer. So a feed that says it is up has heard of all that its server told `timeout` and a second ago.
class LdapFeed {
 public:
  // All but `options`, which is copied, must outlive it. `options` is for a search (base and filter). `servers` hears
  // which of its URLs the feed speaks for.
  LdapFeed(const LdapBackendOptions& options, Servers& servers, Clock& clock, Randomness& randomness,
           Reporter& reporter, std::shared_ptr<ChangeListener> changes);
  // Ends the thread; waits for what it does at the moment, `timeout` at most.
  ~LdapFeed();
  LdapFeed(const LdapFeed&) = delete;
  LdapFeed& operator=(const LdapFeed&) = delete;

 private:
  void Run();
  // Connects to the server, and follows it until it is lost. Never OK.
  absl::Status Follow(size_t server);
  absl::Status Follow(LdapConnection& connection);
  // Makes follower_ one that the server can be followed by.
  absl::Status Choose(const LdapRoot& root);
  absl::Status Take(LdapConnection& connection, LdapEvent& event);
  void Tell();
  void Lost(size_t server, const absl::Status& why);
  bool Wait(absl::Duration duration);
  bool Stopping();

  const LdapBackendOptions options_;
  Servers& servers_;
  Clock& clock_;
  Randomness& randomness_;
  Reporter& reporter_;
  const std::shared_ptr<ChangeListener> changes_;

  // The thread's own.
  const Fingerprinter fingerprinter_;
  LdapAccounts accounts_;
  LdapGroups groups_;
  const bool groups_count_;
  enum class Way : uint8_t { kNone, kSync, kNotices };
  Way way_ = Way::kNone;
  std::unique_ptr<LdapFollower> follower_;  // on way_
  size_t server_ = 0;                       // the one that is tried, or followed
  bool up_ = false;
  std::string last_failure_;

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace credcache
