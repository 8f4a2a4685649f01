// Any bytes as what a database sends: a row's columns, and a notification. A name that comes out is normalised, a group
// is UTF-8; never a crash, and no hash is computed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "backends/password_hash.h"
#include "backends/postgres_payload.h"
#include "backends/postgres_rows.h"
#include "base/utf8.h"

namespace credcache {
namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

bool IsNormalised(absl::string_view name, CaseRule rule) {
  const auto again = Username::Normalize(name, rule);
  return again.ok() && again->view() == name;
}

void CheckRow(absl::string_view text, bool groups_are_array) {
  PostgresColumns columns;
  columns.id = 1;
  columns.username = 2;
  columns.groups = 3;
  columns.expires = 4;
  columns.attributes = {{"mail", 5}};
  columns.groups_are_array = groups_are_array;
  std::vector<absl::string_view> values = absl::StrSplit(text, absl::MaxSplits('|', 5));
  values.resize(6);
  const PostgresRow row(values.begin(), values.end());
  const auto user = UserOf(row, columns, {.realm = "r"}, *Username::Normalize("asked", CaseRule::kFold));
  if (!user.ok()) return;
  Check(IsNormalised(user->account.name.view(), CaseRule::kFold));
  Check(IsUtf8(user->account.identity.subject()));
  for (const std::string& group : user->account.identity.details().groups) Check(!group.empty() && IsUtf8(group));
}

}  // namespace
}  // namespace credcache

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  credcache::CheckRow(text, false);
  credcache::CheckRow(text, true);
  const std::vector<std::string> payloads = absl::StrSplit(text, '|');
  for (const credcache::CaseRule rule : {credcache::CaseRule::kFold, credcache::CaseRule::kSensitive}) {
    const credcache::PostgresChanges changes = credcache::ChangesIn(payloads, rule);
    credcache::Check(changes.everything || changes.junk == 0);
    for (const std::string& name : changes.usernames) credcache::Check(credcache::IsNormalised(name, rule));
  }
  const auto hash = credcache::PasswordHash::Parse(text);
  if (hash.ok()) credcache::Check(!hash->cost().empty());
  return 0;
}
