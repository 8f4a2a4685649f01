// What a row of the configured query says of a user. Pure functions over text as the server sends it (api.md, section
// 2, `postgres`; credcached.yaml lists the columns).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/names.h"
#include "validator/validator.h"

namespace credcache {

// A type by its number in pg_type, which is fixed for those that come with the server.
using PostgresType = uint32_t;

struct PostgresStatement {
  struct Column {
    std::string name;
    PostgresType type;
  };
  std::vector<PostgresType> parameters;
  std::vector<Column> columns;
};

// Which column of the statement is what; nothing: there is none of that name.
struct PostgresColumns {
  size_t hash = 0;
  std::optional<size_t> id;
  std::optional<size_t> username;
  std::optional<size_t> groups;
  std::optional<size_t> disabled;
  std::optional<size_t> locked;
  std::optional<size_t> expires;
  bool groups_are_array = false;
  std::vector<std::pair<std::string, size_t>> attributes;  // sorted by name
  size_t max_name_size = 0;  // a longer name is nobody's: the server would compare it by its beginning

  // INVALID_ARGUMENT, for an operator to read: not one parameter, or one that is no text; no hash; a column twice, or
  // of a type that says nothing.
  static absl::StatusOr<PostgresColumns> Of(const PostgresStatement& statement);
};

struct PostgresIdentityRules {
  std::string realm;  // for the subject of who has no id: REALM/USERNAME
  CaseRule case_rule = CaseRule::kFold;
};

struct PostgresUser {
  std::optional<std::string> hash;  // nothing: NULL, no password is right
  Account account;                  // with its identity
  bool disabled = false;
  bool locked = false;
  absl::Time expires = absl::InfiniteFuture();
};

// A value a column; nothing: NULL.
using PostgresRow = std::vector<std::optional<absl::string_view>>;

// `asked` is the name where the row tells no other. UNAVAILABLE for what cannot be understood, or is over a limit of
// limits.h: nothing is cut off.
absl::StatusOr<PostgresUser> UserOf(const PostgresRow& row, const PostgresColumns& columns,
                                    const PostgresIdentityRules& rules, const Username& asked);

// What is told to whom `matches` says of the password. What the row says of the account only if it does.
Verdict VerdictOf(const PostgresUser& user, bool matches, absl::Time now);

// The elements of an array of one dimension, as in `{a,"b c",NULL}`; NULLs are left out. Nothing: it is none.
std::optional<std::vector<std::string>> ParsePostgresArray(absl::string_view text);
// The moment that a timestamptz (in UTC) or a date is; nothing: it is none.
std::optional<absl::Time> ParsePostgresTime(absl::string_view text);

}  // namespace credcache
