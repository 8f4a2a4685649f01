// Follows Active Directory by its change notification control (MS-ADTS, 3.1.1.3.4.1.9).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "backends/ldap_accounts.h"
#include "backends/ldap_follower.h"
#include "backends/ldap_groups.h"
#include "backends/ldap_notices.h"
#include "base/clock.h"

namespace credcache {

// One search for the notices of the naming context that holds `base`, and readings in pages: of all there is at the
// beginning and after a container was moved; and once a minute of who is still there, unless notices tell of deletions.
class LdapNoticeFollower final : public LdapFollower {
 public:
  // All must outlive it. `groups`: null: nobody wants to know of groups.
  LdapNoticeFollower(std::string base, LdapAccounts& accounts, LdapGroups* groups, Clock& clock);

  static bool IsOfferedBy(const LdapRoot& root);

  absl::Status Begin(LdapConnection& connection, const LdapRoot& root, MonotonicTime deadline) override;
  absl::Status Take(LdapConnection& connection, const LdapEvent& event) override;
  bool refreshed() const override { return refreshed_; }

 private:
  absl::Status BeginReading(LdapConnection& connection, LdapNotices::Reading kind);
  // Asks for the next page of what is read now; an empty cookie: the first one.
  absl::Status AskForPage(LdapConnection& connection, const std::string& cookie);
  absl::Status TakeRead(LdapConnection& connection, const LdapEvent& event);
  // Which reading is due, if none is under way.
  std::optional<LdapNotices::Reading> Due() const;

  const std::string base_;
  Clock& clock_;
  LdapNotices notices_;
  std::vector<std::string> attributes_;
  std::vector<LdapSearch> searches_;  // what a reading consists of: the accounts, and the groups
  size_t search_ = 0;                 // which of them is being read
  int notice_id_ = 0;                 // of messages
  int page_id_ = 0;
  MonotonicTime read_at_;
  bool refreshed_ = false;
};

}  // namespace credcache
