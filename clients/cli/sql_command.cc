#include "cli/sql_command.h"

#include <google/protobuf/struct.pb.h>

#include <CLI/Validators.hpp>
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/error_report.h"
#include "cli/utf8.h"

namespace credcache::cli {
namespace {

// NAMEDATALEN less one.
constexpr size_t kLongestName = 63;

// For every table alike: the channel and the column come with the trigger. What no user can be called, or no payload
// can hold, is told as `*`. It may be called by whoever changes the table, so it finds functions in pg_catalog alone.
constexpr absl::string_view kFunction = R"sql(
create or replace function credcache_notify() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $credcache$
declare
  names text[] := '{}';
  name text;
begin
  if tg_op = 'TRUNCATE' then
    perform pg_notify(tg_argv[0], '*');
    return null;
  end if;
  if tg_op <> 'INSERT' then
    names := names || (to_jsonb(old) ->> tg_argv[1]);
  end if;
  if tg_op <> 'DELETE' then
    names := names || (to_jsonb(new) ->> tg_argv[1]);
  end if;
  foreach name in array names loop
    if name is null or name = '' or octet_length(name) > 256 or name ~ '[[:cntrl:]]' or name <> btrim(name) then
      name := '*';
    end if;
    -- The server sends equal notifications of one transaction once.
    perform pg_notify(tg_argv[0], name);
  end loop;
  return null;
end
$credcache$;
)sql";

absl::Status CheckName(absl::string_view what, absl::string_view name) {
  if (name.empty() || name.size() > kLongestName) {
    return absl::InvalidArgumentError(absl::StrCat(what, " is not 1 to 63 bytes long, as names in PostgreSQL are"));
  }
  if (name.find('\0') != absl::string_view::npos) return absl::InvalidArgumentError(absl::StrCat(what, " has a NUL"));
  return absl::OkStatus();
}

// "name", whatever is in it.
std::string Identifier(absl::string_view name) {
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\"", "\"\""}}), "\"");
}

// 'text', whatever is in it and however the server reads backslashes.
std::string Literal(absl::string_view text) {
  const bool escaped = text.find('\\') != absl::string_view::npos;
  return absl::StrCat(escaped ? "E'" : "'", absl::StrReplaceAll(text, {{"'", "''"}, {"\\", "\\\\"}}), "'");
}

std::string Row(absl::string_view row, const std::vector<std::string>& columns) {
  return absl::StrCat("row(",
                      absl::StrJoin(columns, ", ",
                                    [row](std::string* out, const std::string& column) {
                                      absl::StrAppend(out, row, ".", Identifier(column), "::text");
                                    }),
                      ")");
}

}  // namespace

absl::StatusOr<std::string> FeedSql(const SqlOptions& options) {
  std::vector<std::string> table = absl::StrSplit(options.table, '.');
  if (table.size() > 2) return absl::InvalidArgumentError("--table is not TABLE or SCHEMA.TABLE");
  for (const std::string& part : table) {
    if (absl::Status status = CheckName("--table", part); !status.ok()) return status;
  }
  if (absl::Status status = CheckName("--column", options.column); !status.ok()) return status;
  if (absl::Status status = CheckName("--channel", options.channel); !status.ok()) return status;
  std::vector<std::string> watched = options.watch;
  for (const std::string& column : watched) {
    if (absl::Status status = CheckName("--watch", column); !status.ok()) return status;
  }
  // A renamed user is another one.
  if (!watched.empty() && std::find(watched.begin(), watched.end(), options.column) == watched.end()) {
    watched.push_back(options.column);
  }

  const std::string name = absl::StrJoin(
      table, ".", [](std::string* out, const std::string& part) { absl::StrAppend(out, Identifier(part)); });
  // By their images, or as text: there are types that have no equality, json for one.
  const std::string changed = watched.empty()
                                  ? std::string("old.* *<> new.*")
                                  : absl::StrCat(Row("old", watched), " is distinct from ", Row("new", watched));
  const std::string call = absl::StrCat("execute function credcache_notify(", Literal(options.channel), ", ",
                                        Literal(options.column), ");\n");
  std::string sql = absl::StrCat(
      "-- Tells credcached (postgres, feed: true) whose row changed. As the table's owner: psql -f THIS.\n", "begin;\n",
      kFunction);
  // A column that is not there would tell `*` at each change.
  absl::StrAppend(&sql, "\nprepare credcache_check as select ", Identifier(options.column), " from ", name,
                  ";\ndeallocate credcache_check;\n");
  struct Trigger {
    absl::string_view name;
    absl::string_view event;
    std::string condition;
  };
  const std::vector<Trigger> triggers = {
      {"credcache_insert_delete", "after insert or delete", "for each row"},
      {"credcache_update", "after update", absl::StrCat("for each row when (", changed, ")")},
      {"credcache_truncate", "after truncate", "for each statement"}};
  for (const Trigger& trigger : triggers) {
    absl::StrAppend(&sql, "\ndrop trigger if exists ", trigger.name, " on ", name, ";\n");
    absl::StrAppend(&sql, "create trigger ", trigger.name, " ", trigger.event, " on ", name, "\n  ", trigger.condition,
                    "\n  ", call);
  }
  absl::StrAppend(&sql, "\ncommit;\n");
  return sql;
}

CLI::App* DefineSql(CLI::App& app, SqlOptions& options) {
  CLI::App* command = app.add_subcommand("sql", "Print the trigger that tells credcached what changes in PostgreSQL");
  command
      ->add_option("--table", options.table,
                   "TABLE or SCHEMA.TABLE, written as it is stored (in lower case, usually); account by default")
      ->check(Utf8())
      ->type_name("TABLE");
  command->add_option("--column", options.column, "The column with the user's (canonical) name; name by default")
      ->check(Utf8())
      ->type_name("COLUMN");
  command->add_option("--channel", options.channel, "As postgres.channel in the configuration; credcache by default")
      ->check(Utf8())
      ->type_name("CHANNEL");
  command
      ->add_option(
          "--watch", options.watch,
          "A column whose change matters, where not all do (the time of the last log-on, say); may be repeated")
      ->allow_extra_args(false)
      ->check(Utf8())
      ->type_name("COLUMN");
  command->footer(
      "Examples:\n"
      "  credcachectl sql | psql mail\n"
      "  credcachectl sql --table auth.users --column login --watch hash --watch groups | psql mail\n"
      "  credcachectl sql --table membership --column account_name | psql mail\n");
  return command;
}

ExitCode RunSql(const SqlOptions& options, Console& console) {
  const absl::StatusOr<std::string> sql = FeedSql(options);
  if (!sql.ok()) return ReportError(sql.status(), console);
  if (console.json) {
    google::protobuf::Struct object;
    (*object.mutable_fields())["sql"].set_string_value(*sql);
    console.out << ToJson(object) << "\n";
  } else {
    console.out << *sql;
  }
  return ExitCode::kDone;
}

}  // namespace credcache::cli
