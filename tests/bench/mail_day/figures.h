// What came of a day.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/outcome.h"
#include "mail_day/event.h"

namespace credcache::mail_day {

// Log-ons, and how many of them were answered without asking the directory.
struct Answers {
  int64_t log_ons = 0;
  int64_t without_backend = 0;

  // 1 where there were none.
  double Ratio() const;
  Answers& operator+=(const Answers& other);
};

struct Figures {
  int servers = 1;
  int32_t users = 0;
  uint64_t seed = 0;
  int hours = 24;

  // By source. `without_backend` of `all` is the sum of the first three and of what was throttled.
  Answers all;
  int64_t hits = 0;
  int64_t negative_hits = 0;
  int64_t coalesced = 0;
  int64_t throttled = 0;
  int64_t throttled_though_right = 0;  // of those, the ones whose password was right
  int64_t errors = 0;                  // neither accepted nor rejected
  std::array<Answers, kSenders> by_sender;
  // Of the log-ons of the site's own devices, attacks left out.
  Answers People() const;

  int64_t wrong_answers = 0;
  int64_t stale_window_answers = 0;
  std::vector<std::string> examples;  // the first few wrong ones, for people

  // Why the cache could not answer, those that joined another's validation too.
  std::array<int64_t, kMissReasons> misses = {};
  int64_t backend_calls = 0;  // binds; refreshes among them
  int64_t refreshes = 0;
  int64_t searches = 0;
  int64_t evictions = 0;
  int64_t invalidations = 0;
  int64_t most_entries = 0;  // of one server

  // Of the calls that there were without a cache, one a log-on, the part that was not made.
  double SavedRatio() const;

  struct Hour {
    Answers answers;
    int64_t backend_calls = 0;
  };
  std::vector<Hour> by_hour;
  int64_t peak_backend_calls = 0;  // in a second
  int64_t peak_log_ons = 0;        // in a second: the calls that there were without a cache

  double real_seconds = 0.0;
};

// One object, without line breaks.
std::string ToJson(const Figures& figures);
// Tables for people.
std::string ToText(const Figures& figures);
// What the second way costs against the first; empty unless there are two.
std::string Compare(const std::vector<Figures>& runs);

}  // namespace credcache::mail_day
