#include "backends/postgres_payload.h"

#include <algorithm>

namespace credcache {
namespace {

// More changed users than these are not named one by one.
constexpr size_t kMostNamed = 10'000;

}  // namespace

PostgresChanges ChangesIn(const std::vector<std::string>& payloads, CaseRule case_rule) {
  PostgresChanges changes;
  for (const std::string& payload : payloads) {
    if (payload.empty() || payload == "*") {
      changes.everything = true;
      continue;
    }
    const auto name = Username::Normalize(payload, case_rule);
    if (name.ok()) {
      changes.usernames.emplace_back(name->view());
      continue;
    }
    // Somebody changed, and nobody knows who.
    changes.everything = true;
    if (++changes.junk == 1) changes.why = std::string(name.status().message());
  }
  std::sort(changes.usernames.begin(), changes.usernames.end());
  changes.usernames.erase(std::unique(changes.usernames.begin(), changes.usernames.end()), changes.usernames.end());
  if (changes.usernames.size() > kMostNamed) {
    changes.usernames.clear();
    changes.everything = true;
  }
  return changes;
}

bool Pacer::Take(MonotonicTime now) {
  if (now < due()) return false;
  Done(now);
  return true;
}

void Pacer::Done(MonotonicTime now) {
  wanted_ = false;
  last_ = now;
}

}  // namespace credcache
