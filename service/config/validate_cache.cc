#include <algorithm>

#include "absl/strings/str_cat.h"
#include "config/duration.h"
#include "config/validate.h"

namespace credcache {
namespace {

constexpr int64_t kMostBuckets = 65'536;
constexpr int64_t kMostEntries = 1'000'000'000;

constexpr absl::Duration kShortestLimit = absl::Milliseconds(1);
constexpr absl::Duration kLongestLimit = absl::Hours(8760);
constexpr absl::Duration kLongestGrace = absl::Hours(168);
constexpr absl::Duration kLongestQuarantine = absl::Hours(1);
constexpr absl::Duration kLongestNegative = absl::Minutes(30);

// Cache and RealmCache have these keys in common. `most_negative`: what counts of negative.longest, whatever is
// written.
template <typename Section>
CachePolicy MergePolicy(const Section& written, const std::string& path, CachePolicy policy,
                        absl::Duration most_negative, Checks& checks) {
  if (written.has_age_limit()) {
    policy.age_limit = checks.Length(Child(path, "age_limit"), written.age_limit(), kShortestLimit, kLongestLimit);
  }
  if (written.has_idle_limit()) {
    policy.idle_limit = checks.Length(Child(path, "idle_limit"), written.idle_limit(), kShortestLimit, kLongestLimit);
    if (policy.idle_limit > policy.age_limit) {
      checks.source().Fail(Child(path, "idle_limit"),
                           absl::StrCat("at most the age_limit of ", DurationText(policy.age_limit)));
    }
  }
  // An idle limit from elsewhere that is longer says nothing.
  policy.idle_limit = std::min(policy.idle_limit, policy.age_limit);

  const std::string negative = Child(path, "negative");
  if (written.negative().has_longest()) {
    policy.negative_longest =
        checks.Length(Child(negative, "longest"), written.negative().longest(), absl::ZeroDuration(), kLongestNegative);
  }
  if (written.negative().has_first()) {
    policy.negative_first =
        checks.Length(Child(negative, "first"), written.negative().first(), kShortestLimit, kLongestNegative);
    if (written.negative().has_longest()) {
      const absl::Duration longest = FromProto(written.negative().longest());
      if (longest != absl::ZeroDuration() && policy.negative_first > longest) {
        checks.source().Fail(Child(negative, "first"),
                             absl::StrCat("at most negative.longest, ", DurationText(longest)));
      }
    }
  }
  policy.negative_longest = std::min(policy.negative_longest, most_negative);
  if (policy.negative_longest != absl::ZeroDuration()) {
    policy.negative_first = std::min(policy.negative_first, policy.negative_longest);
  }

  if (written.has_refresh_ahead()) policy.refresh_ahead = written.refresh_ahead();
  if (written.has_stale_grace()) {
    policy.stale_grace =
        checks.Length(Child(path, "stale_grace"), written.stale_grace(), absl::ZeroDuration(), kLongestGrace);
  }
  if (written.has_quarantine()) {
    policy.quarantine =
        checks.Length(Child(path, "quarantine"), written.quarantine(), absl::ZeroDuration(), kLongestQuarantine);
  }
  if (written.has_supersede()) policy.supersede = written.supersede();
  if (written.has_feed_down_age_limit()) {
    policy.feed_down_age_limit =
        checks.Length(Child(path, "feed_down_age_limit"), written.feed_down_age_limit(), kShortestLimit, kLongestLimit);
  }
  if (written.has_retire()) {
    policy.retire = checks.Length(Child(path, "retire"), written.retire(), absl::ZeroDuration(), kLongestLimit);
  }
  return policy;
}

}  // namespace

CacheConfig ValidateCache(const config::v1::Cache& written, Checks& checks) {
  CacheConfig cache;
  cache.policy = MergePolicy(written, "cache", CachePolicy(), kLongestNegative, checks);
  if (written.has_buckets()) {
    cache.buckets = static_cast<int>(checks.Number("cache.buckets", written.buckets(), 0, kMostBuckets));
  }
  if (written.has_max_entries()) {
    // A bucket without room would be a user who is never remembered.
    cache.max_entries = checks.Number("cache.max_entries", written.max_entries(), 1, kMostEntries);
    if (written.max_entries() > 0 && cache.max_entries < cache.buckets) {
      checks.source().Fail("cache.max_entries",
                           absl::StrCat("at least one for each of the ", cache.buckets, " buckets"));
    }
  }
  return cache;
}

CachePolicy ValidateRealmCache(const config::v1::RealmCache& written, const std::string& path, CachePolicy policy,
                               bool has_feed, Checks& checks) {
  return MergePolicy(written, path, policy, has_feed ? kLongestNegative : kLongestNegativeWithoutFeed, checks);
}

}  // namespace credcache
