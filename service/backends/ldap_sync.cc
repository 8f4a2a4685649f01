#include "backends/ldap_sync.h"

#include <ldap.h>

#include "absl/strings/str_cat.h"
#include "backends/ldap_sync_values.h"

namespace credcache {

std::string LdapSync::Begin(absl::string_view server) {
  if (server != server_) cookie_.clear();
  server_ = std::string(server);
  next_cookie_ = cookie_;
  whole_ = cookie_.empty();
  removed_unlisted_ = false;
  refreshed_ = false;
  content_.BeginRefresh();
  return SyncRequestValue(cookie_);
}

absl::Status LdapSync::Take(const LdapEvent& event) {
  absl::Status status;
  switch (event.kind) {
    case LdapEvent::Kind::kEntry:
      status = TakeEntry(event);
      break;
    case LdapEvent::Kind::kIntermediate:
      if (event.oid == LDAP_SYNC_INFO) status = TakeInfo(event.value);
      break;
    case LdapEvent::Kind::kResult:
      return TakeResult(event);
    case LdapEvent::Kind::kOther:
      break;
  }
  if (!status.ok()) {
    cookie_.clear();
  } else if (refreshed_) {
    cookie_ = next_cookie_;
  }
  return status;
}

absl::Status LdapSync::TakeEntry(const LdapEvent& event) {
  auto state = ParseSyncState(event.value);
  if (!state.ok()) return state.status();
  const SyncUuid uuid = SyncUuidOf(state->uuid);
  switch (state->kind) {
    case SyncState::Kind::kAdd:
    case SyncState::Kind::kModify:
      content_.Put(uuid, event.entry);
      break;
    case SyncState::Kind::kPresent:
      content_.Keep(uuid);
      break;
    case SyncState::Kind::kDelete:
      content_.Remove(uuid);
      break;
  }
  if (state->cookie) next_cookie_ = *std::move(state->cookie);
  return absl::OkStatus();
}

absl::Status LdapSync::TakeInfo(absl::string_view value) {
  auto info = ParseSyncInfo(value);
  if (!info.ok()) return info.status();
  for (const std::string& uuid : info->uuids) {
    if (info->refresh_deletes) {
      content_.Remove(SyncUuidOf(uuid));
    } else {
      content_.Keep(SyncUuidOf(uuid));
    }
  }
  if (info->cookie) next_cookie_ = *std::move(info->cookie);
  if (refreshed_) return absl::OkStatus();
  if (info->kind == SyncInfo::Kind::kRefreshPresent) RemoveUnlisted();
  if (info->refresh_done) Finish();
  return absl::OkStatus();
}

// A search that persists has no end of its own.
absl::Status LdapSync::TakeResult(const LdapEvent& event) {
  // LDAP_SYNC_REFRESH_REQUIRED, or a server that knows less than the cookie says (it was restored, or lags behind):
  // what the cookie is worth, nobody can tell.
  cookie_.clear();
  std::string hint;
  if (event.code == LDAP_SIZELIMIT_EXCEEDED || event.code == LDAP_TIMELIMIT_EXCEEDED) {
    hint = "; bind_dn needs a limit of `size=unlimited time=unlimited` there";
  } else if (event.code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION) {
    hint = "; its database needs the overlay syncprov";
  }
  return absl::UnavailableError(
      absl::StrCat("the directory ended the search for changes: ", ldap_err2string(event.code),
                   event.diagnostic.empty() ? "" : " ", event.diagnostic, hint));
}

void LdapSync::RemoveUnlisted() {
  if (removed_unlisted_) return;
  removed_unlisted_ = true;
  content_.RemoveUnlisted();
}

void LdapSync::Finish() {
  if (whole_) RemoveUnlisted();
  content_.EndRefresh();
  refreshed_ = true;
}

}  // namespace credcache
