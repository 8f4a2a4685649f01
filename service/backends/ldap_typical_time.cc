#include "backends/ldap_typical_time.h"

#include <algorithm>

namespace credcache {

void LdapTypicalTime::Learn(absl::Duration duration) {
  const absl::MutexLock lock(&mutex_);
  durations_[learned_++ % kRemembered] = duration;
}

absl::Duration LdapTypicalTime::Draw() {
  const absl::MutexLock lock(&mutex_);
  const size_t known = std::min(learned_, kRemembered);
  return known == 0 ? absl::ZeroDuration() : durations_[randomness_.Below(known)];
}

absl::Duration LdapTypicalTime::Median() {
  const absl::MutexLock lock(&mutex_);
  const size_t known = std::min(learned_, kRemembered);
  if (known == 0) return absl::ZeroDuration();
  std::array<absl::Duration, kRemembered> sorted = durations_;
  std::nth_element(sorted.begin(), sorted.begin() + known / 2, sorted.begin() + known);
  return sorted[known / 2];
}

}  // namespace credcache
