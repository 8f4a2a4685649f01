#include "backends/ldap_notice_follower.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "backends/ldap_paged_values.h"

namespace credcache {
namespace {

constexpr const char* kNotification = "1.2.840.113556.1.4.528";
constexpr const char* kShowDeleted = "1.2.840.113556.1.4.417";
constexpr const char* kExtendedDn = "1.2.840.113556.1.4.529";

// As many as Active Directory gives in one answer, unless it is told to give more.
constexpr int kPageSize = 1000;
constexpr absl::Duration kRollCallInterval = absl::Minutes(1);

absl::Status Ended(absl::string_view what, const LdapEvent& result) {
  return absl::UnavailableError(absl::StrCat("the directory ended ", what, ": ", ldap_err2string(result.code),
                                             result.diagnostic.empty() ? "" : " ", result.diagnostic));
}

}  // namespace

LdapNoticeFollower::LdapNoticeFollower(std::string base, LdapAccounts& accounts, LdapGroups* groups, Clock& clock)
    : base_(std::move(base)), clock_(clock), notices_(base_, accounts, groups), attributes_(accounts.attributes()) {
  attributes_.insert(attributes_.end(), {"objectGUID", "objectClass", "isDeleted"});
  searches_.push_back({.base = base_, .filter = accounts.filter(), .size_limit = 0});
  if (groups == nullptr) return;
  const std::vector<std::string> more = LdapGroups::Attributes();
  attributes_.insert(attributes_.end(), more.begin(), more.end());
  searches_.push_back({.filter = LdapGroups::kFilter, .size_limit = 0});
}

bool LdapNoticeFollower::IsOfferedBy(const LdapRoot& root) { return root.Offers(kNotification); }

absl::Status LdapNoticeFollower::Begin(LdapConnection& connection, const LdapRoot& root, MonotonicTime deadline) {
  refreshed_ = false;
  notices_.Begin();
  const std::string context = root.ContextOf(base_);
  if (searches_.size() > 1) searches_.back().base = context;
  // Of a whole naming context, or of single entries: there is nothing between. Deletions are told only of the former.
  const auto begun =
      connection.BeginSearch({.base = context, .filter = kAnyEntry, .attributes = attributes_, .size_limit = 0},
                             {{.oid = kNotification}, {.oid = kShowDeleted}, {.oid = kExtendedDn}});
  if (!begun.ok()) return begun.status();
  notice_id_ = *begun;
  // A server may take up several questions at once: what it reads must not be older than what it gives notice of.
  const auto taken = connection.Search(RootDse({"1.1"}), deadline);
  if (!taken.ok()) return taken.status();
  return BeginReading(connection, LdapNotices::Reading::kWhole);
}

absl::Status LdapNoticeFollower::BeginReading(LdapConnection& connection, LdapNotices::Reading kind) {
  notices_.BeginReading(kind);
  for (LdapSearch& search : searches_) {
    search.attributes = kind == LdapNotices::Reading::kWhole ? attributes_ : std::vector<std::string>{"objectGUID"};
  }
  search_ = 0;
  return AskForPage(connection, "");
}

absl::Status LdapNoticeFollower::AskForPage(LdapConnection& connection, const std::string& cookie) {
  const auto asked = connection.BeginSearch(
      searches_[search_],
      {{.oid = LDAP_CONTROL_PAGEDRESULTS, .value = PagedRequestValue(kPageSize, cookie)}, {.oid = kExtendedDn}});
  if (!asked.ok()) return asked.status();
  page_id_ = *asked;
  return absl::OkStatus();
}

absl::Status LdapNoticeFollower::Take(LdapConnection& connection, const LdapEvent& event) {
  if (event.message_id == notice_id_) {
    if (event.kind == LdapEvent::Kind::kResult) return Ended("its notices", event);
    if (event.kind == LdapEvent::Kind::kEntry) notices_.TakeNotice(event.entry);
  } else if (event.message_id == page_id_) {
    return TakeRead(connection, event);
  }
  const auto due = Due();
  return due ? BeginReading(connection, *due) : absl::OkStatus();
}

absl::Status LdapNoticeFollower::TakeRead(LdapConnection& connection, const LdapEvent& event) {
  if (event.kind == LdapEvent::Kind::kEntry) notices_.TakeRead(event.entry);
  if (event.kind != LdapEvent::Kind::kResult) return absl::OkStatus();
  if (event.code != LDAP_SUCCESS) return Ended("the reading of what is there", event);
  const auto cookie = ParsePagedCookie(event.value);
  if (!cookie.ok()) return cookie.status();
  if (!cookie->empty()) return AskForPage(connection, *cookie);
  if (++search_ < searches_.size()) return AskForPage(connection, "");
  notices_.EndReading();
  page_id_ = 0;
  read_at_ = clock_.Monotonic();
  refreshed_ = true;
  return absl::OkStatus();
}

std::optional<LdapNotices::Reading> LdapNoticeFollower::Due() const {
  if (notices_.reading()) return std::nullopt;
  if (notices_.outdated()) return LdapNotices::Reading::kWhole;
  const bool long_ago = clock_.Monotonic() - read_at_ >= kRollCallInterval;
  if (!notices_.sees_deletions() && long_ago) return LdapNotices::Reading::kRollCall;
  return std::nullopt;
}

}  // namespace credcache
