#include "backends/postgres_rows.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/limits.h"
#include "base/utf8.h"

namespace credcache {
namespace {

constexpr PostgresType kBool = 16;
constexpr PostgresType kName = 19;
constexpr PostgresType kDate = 1082;
constexpr PostgresType kTimestamptz = 1184;
// text, varchar, char(n), name, unknown
constexpr std::array<PostgresType, 5> kTexts = {25, 1043, 1042, kName, 705};
// Arrays of these.
constexpr std::array<PostgresType, 4> kTextArrays = {1009, 1015, 1014, 1003};
// Types from here on are not the server's own: citext, domains, enums. Whether they are text, their author knows.
constexpr PostgresType kFirstOfUsers = 16384;
// NAMEDATALEN: a longer name is cut when it is compared with one of that type.
constexpr size_t kMaxNameTypeSize = 63;

template <size_t N>
bool IsOneOf(const std::array<PostgresType, N>& types, PostgresType type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

absl::Status CheckType(absl::string_view name, PostgresType type) {
  if ((name == "disabled" || name == "locked") && type != kBool) {
    return Bad(absl::StrCat("the column ", name, " is not boolean"));
  }
  if (name == "expires" && type != kTimestamptz && type != kDate) {
    return Bad("the column expires is neither timestamptz nor date");
  }
  const bool text = IsOneOf(kTexts, type) || type >= kFirstOfUsers;
  if ((name == "hash" || name == "username") && !text) return Bad(absl::StrCat("the column ", name, " is not text"));
  if (name == "groups" && !text && !IsOneOf(kTextArrays, type)) {
    return Bad("the column groups is neither text[] nor text");
  }
  return absl::OkStatus();
}

std::vector<std::string> SplitGroups(absl::string_view text) {
  std::vector<std::string> groups;
  for (const absl::string_view part : absl::StrSplit(text, absl::ByAnyChar(",;"))) {
    const absl::string_view group = absl::StripAsciiWhitespace(part);
    if (!group.empty()) groups.emplace_back(group);
  }
  return groups;
}

// One element of an array, in quotes or not. Removes it from `text`; nothing: it is damaged.
std::optional<std::string> TakeElement(absl::string_view& text, bool& quoted) {
  std::string element;
  quoted = absl::ConsumePrefix(&text, "\"");
  while (!text.empty()) {
    char c = text.front();
    if (quoted ? c == '"' : (c == ',' || c == '}')) break;
    if (!quoted && (c == '{' || c == '"')) return std::nullopt;
    text.remove_prefix(1);
    if (c == '\\') {
      if (text.empty()) return std::nullopt;
      c = text.front();
      text.remove_prefix(1);
    }
    element += c;
  }
  if (quoted && !absl::ConsumePrefix(&text, "\"")) return std::nullopt;
  if (!quoted && element.empty()) return std::nullopt;
  return element;
}

absl::StatusOr<std::vector<std::string>> GroupsOf(absl::string_view text, bool is_array) {
  if (!is_array) return SplitGroups(text);
  auto groups = ParsePostgresArray(text);
  if (!groups) return absl::UnavailableError("the column groups is no array of one dimension");
  groups->erase(std::remove(groups->begin(), groups->end(), ""), groups->end());
  return *std::move(groups);
}

}  // namespace

absl::StatusOr<PostgresColumns> PostgresColumns::Of(const PostgresStatement& statement) {
  if (statement.parameters.size() != 1) {
    return Bad(absl::StrCat("the query has ", statement.parameters.size(), " parameters; it needs $1 alone, the name"));
  }
  const PostgresType parameter = statement.parameters.front();
  if (!IsOneOf(kTexts, parameter) && parameter < kFirstOfUsers) {
    return Bad("the query compares $1 with what is no text; cast that to text");
  }
  PostgresColumns found;
  found.max_name_size = parameter == kName ? kMaxNameTypeSize : kMaxUsernameSize;
  std::optional<size_t> hash;
  struct Known {
    absl::string_view name;
    std::optional<size_t>* place;
  };
  const std::array<Known, 7> known = {{{"hash", &hash},
                                       {"id", &found.id},
                                       {"username", &found.username},
                                       {"groups", &found.groups},
                                       {"disabled", &found.disabled},
                                       {"locked", &found.locked},
                                       {"expires", &found.expires}}};
  for (size_t i = 0; i < statement.columns.size(); ++i) {
    const auto& [name, type] = statement.columns[i];
    for (size_t before = 0; before < i; ++before) {
      if (statement.columns[before].name == name) return Bad(absl::StrCat("the query has two columns ", name));
    }
    if (absl::Status status = CheckType(name, type); !status.ok()) return status;
    const auto* const match =
        std::find_if(known.begin(), known.end(), [&name = name](const Known& k) { return k.name == name; });
    if (match != known.end()) {
      *match->place = i;
    } else {
      found.attributes.emplace_back(name, i);
    }
  }
  if (!hash) return Bad("the query has no column hash");
  if (found.attributes.size() > kMaxAttributes) return Bad("the query has more than 64 columns for attributes");
  found.hash = *hash;
  found.groups_are_array = found.groups.has_value() && IsOneOf(kTextArrays, statement.columns[*found.groups].type);
  std::sort(found.attributes.begin(), found.attributes.end());
  return found;
}

absl::StatusOr<PostgresUser> UserOf(const PostgresRow& row, const PostgresColumns& columns,
                                    const PostgresIdentityRules& rules, const Username& asked) {
  const auto value = [&row](std::optional<size_t> column) { return column ? row[*column] : std::nullopt; };
  PostgresUser user;
  if (row[columns.hash]) user.hash = std::string(*row[columns.hash]);
  user.disabled = value(columns.disabled) == "t";
  user.locked = value(columns.locked) == "t";
  if (const auto expires = value(columns.expires)) {
    const auto time = ParsePostgresTime(*expires);
    if (!time) return absl::UnavailableError("the column expires holds no moment that can be read");
    user.expires = *time;
  }
  user.account.name = asked;
  if (const auto username = value(columns.username)) {
    const auto name = Username::Normalize(*username, rules.case_rule);
    if (!name.ok()) {
      return absl::UnavailableError(absl::StrCat("a name in the column username ", name.status().message()));
    }
    user.account.name = *name;
  }
  const auto id = value(columns.id);
  const bool has_id = id.has_value() && !id->empty();
  user.account.subject = has_id ? std::string(*id) : absl::StrCat(rules.realm, "/", user.account.name.view());

  IdentityDetails details;
  size_t size = user.account.subject.size();
  bool utf8 = IsUtf8(user.account.subject);
  if (const auto groups = value(columns.groups)) {
    auto list = GroupsOf(*groups, columns.groups_are_array);
    if (!list.ok()) return list.status();
    details.groups = *std::move(list);
  }
  for (const std::string& group : details.groups) {
    size += group.size();
    utf8 = utf8 && IsUtf8(group);
  }
  for (const auto& [name, column] : columns.attributes) {
    if (!row[column]) continue;
    size += name.size() + row[column]->size();
    utf8 = utf8 && IsUtf8(name) && IsUtf8(*row[column]);
    details.attributes.emplace_back(name, *row[column]);
  }
  if (!utf8) return absl::UnavailableError("a row holds what is not UTF-8");
  if (user.account.subject.size() > kMaxSubjectSize || details.groups.size() > kMaxGroups || size > kMaxIdentitySize) {
    return absl::UnavailableError(
        absl::StrCat("a row is too large: ", details.groups.size(), " groups, ", size, " bytes"));
  }
  const bool has_details = !details.groups.empty() || !details.attributes.empty();
  user.account.identity =
      Identity(user.account.name.view(), user.account.subject,
               has_details ? Shared<IdentityDetails>(std::move(details)) : Shared<IdentityDetails>());
  return user;
}

Verdict VerdictOf(const PostgresUser& user, bool matches, absl::Time now) {
  if (!matches || !user.hash.has_value()) return {.decision = Decision::kWrongPassword};
  if (user.locked) return {.decision = Decision::kLocked};
  if (user.disabled) return {.decision = Decision::kAccountDisabled};
  if (now >= user.expires) return {.decision = Decision::kPasswordExpired};
  return {.decision = Decision::kAccepted, .identity = user.account.identity};
}

std::optional<std::vector<std::string>> ParsePostgresArray(absl::string_view text) {
  std::vector<std::string> elements;
  if (!absl::ConsumePrefix(&text, "{")) return std::nullopt;
  if (text == "}") return elements;
  while (true) {
    bool quoted = false;
    auto element = TakeElement(text, quoted);
    if (!element) return std::nullopt;
    if (quoted || !absl::EqualsIgnoreCase(*element, "NULL")) elements.push_back(*std::move(element));
    if (text == "}") return elements;
    if (!absl::ConsumePrefix(&text, ",")) return std::nullopt;
  }
}

std::optional<absl::Time> ParsePostgresTime(absl::string_view text) {
  if (text == "infinity") return absl::InfiniteFuture();
  if (text == "-infinity") return absl::InfinitePast();
  if (absl::EndsWith(text, " BC")) return absl::InfinitePast();
  absl::Time time;
  // RFC 3339 has no year over four digits, PostgreSQL has; the format takes them all.
  const bool is_date = !absl::StrContains(text, ' ');
  if (!is_date && !absl::ConsumeSuffix(&text, "+00")) return std::nullopt;
  const absl::string_view format = is_date ? "%Y-%m-%d" : "%Y-%m-%d %H:%M:%E*S";
  if (!absl::ParseTime(format, text, absl::UTCTimeZone(), &time, nullptr)) return std::nullopt;
  return time;
}

}  // namespace credcache
