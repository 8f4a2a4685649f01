#include "cli/sql_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cli/execute.h"

namespace credcache::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SqlCommandTest, PrintsTheTriggerOfTheDefaults) {
  const Result result = Execute({"sql"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("create or replace function credcache_notify()"));
  EXPECT_THAT(result.out, HasSubstr("after insert or delete on \"account\""));
  EXPECT_THAT(result.out, HasSubstr("for each row when (old.* *<> new.*)"));
  EXPECT_THAT(result.out, HasSubstr("after truncate on \"account\"\n  for each statement"));
  EXPECT_THAT(result.out, HasSubstr("credcache_notify('credcache', 'name')"));
}

TEST(SqlCommandTest, QuotesWhateverNamesHold) {
  const Result result = Execute({"sql", "--table", "Au\"th.us'ers; drop table x", "--column", "na\"me'\\", "--channel",
                                 "a'); drop table x; --", "--watch", "ha\"sh"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("on \"Au\"\"th\".\"us'ers; drop table x\"\n"));
  EXPECT_THAT(result.out, HasSubstr("credcache_notify('a''); drop table x; --', E'na\"me''\\\\')"));
  EXPECT_THAT(result.out, HasSubstr("when (row(old.\"ha\"\"sh\"::text, old.\"na\"\"me'\\\"::text) is distinct from "
                                    "row(new.\"ha\"\"sh\"::text, new.\"na\"\"me'\\\"::text))"));
}

TEST(SqlCommandTest, WatchesTheNameWithTheOthers) {
  const Result result = Execute({"sql", "--watch", "hash", "--watch", "name"});
  EXPECT_THAT(result.out, HasSubstr("row(old.\"hash\"::text, old.\"name\"::text) is distinct from "));
  EXPECT_THAT(result.out, Not(HasSubstr("old.* *<>")));
}

TEST(SqlCommandTest, RefusesWhatNobodyIsCalled) {
  const std::string long_name(64, 'x');
  EXPECT_THAT(Execute({"sql", "--table", "a.b.c"}).err, HasSubstr("--table is not TABLE or SCHEMA.TABLE"));
  EXPECT_THAT(Execute({"sql", "--table", ".b"}).err, HasSubstr("--table is not 1 to 63 bytes long"));
  for (const std::string option : {"--table", "--column", "--channel", "--watch"}) {
    const Result result = Execute({"sql", option, long_name});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr(option + " is not 1 to 63 bytes long"));
    EXPECT_EQ(result.out, "");
  }
}

TEST(SqlCommandTest, JsonHoldsTheScript) {
  EXPECT_THAT(Execute({"--json", "sql"}).out, HasSubstr("{\"sql\":\"-- Tells credcached"));
}

}  // namespace
}  // namespace credcache::cli
