#include "absl/strings/match.h"
#include "base/limits.h"
#include "config/validate.h"

namespace credcache {
namespace {

constexpr int kMostConnections = 1024;
constexpr absl::Duration kShortestTimeout = absl::Milliseconds(100);
// A flight that takes longer is given up, whatever the database does.
constexpr absl::Duration kLongestTimeout = kMaxFlightDuration;
// PostgreSQL's NAMEDATALEN less one: it cuts longer names without a word.
constexpr size_t kMaxChannelSize = 63;

}  // namespace

PostgresConfig ValidatePostgres(const config::v1::Postgres& written, const std::string& path, Checks& checks) {
  PostgresConfig postgres;
  ConfigSource& source = checks.source();
  const std::string dsn_file = Child(path, "dsn_file");
  if (written.has_dsn_file()) {
    postgres.dsn_file = checks.File(dsn_file, written.dsn_file(), Checks::Secrecy::kSecret);
  } else {
    source.Fail(dsn_file, "the file with the connection string");
  }
  const std::string query = Child(path, "query");
  postgres.query = checks.LongText(query, written.query());
  if (!absl::StrContains(postgres.query, "$1")) {
    source.Fail(query, "a SELECT of the user named $1, like select hash, id, groups from account where name = $1");
  }
  if (written.has_connections()) {
    postgres.connections =
        static_cast<int>(checks.Number(Child(path, "connections"), written.connections(), 1, kMostConnections));
  }
  if (written.has_timeout()) {
    postgres.timeout = checks.Length(Child(path, "timeout"), written.timeout(), kShortestTimeout, kLongestTimeout);
  }
  postgres.feed = written.feed();
  if (written.has_channel()) {
    const std::string channel = Child(path, "channel");
    postgres.channel = checks.Text(channel, written.channel());
    if (postgres.channel.size() > kMaxChannelSize) source.Fail(channel, "a channel's name of 1 to 63 bytes");
    if (!postgres.feed && !source.IsBad(Child(path, "feed"))) source.Fail(channel, "feed: true beside it");
  }
  return postgres;
}

}  // namespace credcache
