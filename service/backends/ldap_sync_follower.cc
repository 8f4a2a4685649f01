#include "backends/ldap_sync_follower.h"

#include <algorithm>
#include <utility>

namespace credcache {

LdapSyncFollower::LdapSyncFollower(std::string base, LdapAccounts& accounts, LdapGroups* groups)
    : base_(std::move(base)) {
  watches_.push_back(
      {.search = {.base = base_, .filter = kAnyEntry, .attributes = accounts.attributes(), .size_limit = 0},
       .sync = LdapSync(accounts)});
  if (groups == nullptr) return;
  watches_.push_back(
      {.search = {.filter = LdapGroups::kFilter, .attributes = LdapGroups::Attributes(), .size_limit = 0},
       .sync = LdapSync(*groups)});
}

absl::Status LdapSyncFollower::Begin(LdapConnection& connection, const LdapRoot& root, MonotonicTime /*deadline*/) {
  // Groups are anywhere in the naming context that holds the people.
  if (watches_.size() > 1) watches_.back().search.base = root.ContextOf(base_);
  for (Watch& watch : watches_) {
    const auto begun =
        connection.BeginSearch(watch.search, {{.oid = LDAP_CONTROL_SYNC, .value = watch.sync.Begin(root.url)}});
    if (!begun.ok()) return begun.status();
    watch.message_id = *begun;
  }
  return absl::OkStatus();
}

absl::Status LdapSyncFollower::Take(LdapConnection& /*connection*/, const LdapEvent& event) {
  const auto watch = std::find_if(watches_.begin(), watches_.end(),
                                  [&event](const Watch& one) { return one.message_id == event.message_id; });
  return watch == watches_.end() ? absl::OkStatus() : watch->sync.Take(event);
}

bool LdapSyncFollower::refreshed() const {
  return std::all_of(watches_.begin(), watches_.end(), [](const Watch& one) { return one.sync.refreshed(); });
}

}  // namespace credcache
