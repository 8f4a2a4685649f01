// Follows a directory by content synchronisation (RFC 4533), as OpenLDAP's overlay syncprov offers it.
#pragma once

#include <string>
#include <vector>

#include "backends/ldap_accounts.h"
#include "backends/ldap_follower.h"
#include "backends/ldap_groups.h"
#include "backends/ldap_sync.h"

namespace credcache {

// One search for the accounts, which is every entry below `base`, and one for the groups in the naming context that
// holds them.
class LdapSyncFollower final : public LdapFollower {
 public:
  // The contents must outlive it. `groups`: null: nobody wants to know of groups.
  LdapSyncFollower(std::string base, LdapAccounts& accounts, LdapGroups* groups);

  static bool IsOfferedBy(const LdapRoot& root) { return root.Offers(LDAP_CONTROL_SYNC); }

  absl::Status Begin(LdapConnection& connection, const LdapRoot& root, MonotonicTime deadline) override;
  absl::Status Take(LdapConnection& connection, const LdapEvent& event) override;
  bool refreshed() const override;

 private:
  struct Watch {
    LdapSearch search;
    LdapSync sync;
    int message_id = 0;
  };

  const std::string base_;
  std::vector<Watch> watches_;  // of the accounts, and of the groups
};

}  // namespace credcache
