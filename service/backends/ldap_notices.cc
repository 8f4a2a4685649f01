#include "backends/ldap_notices.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "backends/ldap_dn.h"

namespace credcache {
namespace {

bool Has(const LdapEntry& entry, absl::string_view attribute, absl::string_view wanted) {
  const auto* values = entry.Find(attribute);
  return values != nullptr && std::any_of(values->begin(), values->end(), [wanted](const std::string& value) {
           return absl::EqualsIgnoreCase(value, wanted);
         });
}

bool HoldsOthers(const LdapEntry& entry) {
  return Has(entry, "objectClass", "organizationalUnit") || Has(entry, "objectClass", "container");
}

// Also of a part of a long list, which comes as "member;range=0-1499".
bool HasMembers(const LdapEntry& entry) {
  return std::any_of(entry.attributes.begin(), entry.attributes.end(), [](const auto& attribute) {
    return absl::EqualsIgnoreCase(absl::string_view(attribute.first).substr(0, attribute.first.find(';')), "member");
  });
}

std::optional<SyncUuid> UuidIn(const LdapEntry& entry) {
  const auto* guid = entry.Find("objectGUID");
  if (guid == nullptr || guid->empty() || guid->front().size() != SyncUuid().size()) return std::nullopt;
  return SyncUuidOf(guid->front());
}

}  // namespace

void LdapNotices::Begin() {
  reading_.reset();
  outdated_ = false;
  sees_deletions_ = false;
}

void LdapNotices::BeginReading(Reading kind) {
  reading_ = kind;
  noticed_.clear();
  if (kind == Reading::kWhole) outdated_ = false;
  accounts_.BeginRefresh();
  if (groups_ != nullptr) groups_->BeginRefresh();
}

void LdapNotices::TakeRead(const LdapEntry& entry) {
  const auto uuid = UuidIn(entry);
  if (!uuid || noticed_.contains(*uuid)) return;
  if (reading_ == Reading::kWhole) return Put(*uuid, entry);
  accounts_.Keep(*uuid);
  if (groups_ != nullptr) groups_->Keep(*uuid);
}

void LdapNotices::EndReading() {
  reading_.reset();
  noticed_.clear();
  accounts_.RemoveUnlisted();
  accounts_.EndRefresh();
  if (groups_ == nullptr) return;
  groups_->RemoveUnlisted();
  groups_->EndRefresh();
}

void LdapNotices::TakeNotice(const LdapEntry& entry) {
  const auto uuid = UuidIn(entry);
  if (!uuid) return;
  if (reading()) noticed_.insert(*uuid);
  if (Has(entry, "isDeleted", "TRUE")) {
    sees_deletions_ = true;
    return Remove(*uuid);
  }
  if (HoldsOthers(entry)) outdated_ = true;
  Put(*uuid, entry);
}

void LdapNotices::Put(const SyncUuid& uuid, const LdapEntry& entry) {
  if (IsBelow(PlainDn(entry.dn), base_)) {
    accounts_.Put(uuid, entry);
  } else {
    accounts_.Remove(uuid);
  }
  if (groups_ == nullptr) return;
  if (HasMembers(entry)) {
    groups_->Put(uuid, entry);
  } else {
    groups_->Remove(uuid);
  }
}

void LdapNotices::Remove(const SyncUuid& uuid) {
  accounts_.Remove(uuid);
  if (groups_ != nullptr) groups_->Remove(uuid);
}

}  // namespace credcache
