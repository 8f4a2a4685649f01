#include "validator/flight.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace credcache {

bool FlightTable::JoinOrList(const Digest& digest, Joinable joinable, const std::shared_ptr<Flight>& flight,
                             std::optional<Waiter>& waiter) {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<Flight>& listed = flights_[digest];
  const bool join = listed != nullptr && joinable(*listed);
  if (!join) listed = flight;
  if (waiter.has_value()) {
    waiter->joined = join;
    listed->waiters.push_back(*std::exchange(waiter, std::nullopt));
  }
  return join;
}

bool FlightTable::MergeOrList(const Username& account, const Digest& digest, Joinable joinable,
                              const std::shared_ptr<Flight>& flight) {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<Flight>& listed = flights_[digest];
  if (listed == nullptr || !joinable(*listed)) {
    listed = flight;
    flight->account = account;
    flight->first_digest = std::exchange(flight->digest, digest);
    return false;
  }
  for (Waiter& waiter : flight->waiters) {
    waiter.joined = true;
    listed->waiters.push_back(std::move(waiter));
  }
  flight->waiters.clear();
  Unlist(flight->digest, flight);
  return true;
}

std::vector<Waiter> FlightTable::Land(const std::shared_ptr<Flight>& flight) {
  absl::MutexLock lock(&mutex_);
  Unlist(flight->digest, flight);
  if (flight->first_digest.has_value()) Unlist(*flight->first_digest, flight);
  return std::exchange(flight->waiters, {});
}

std::optional<absl::Duration> FlightTable::StrictestMaxAge(const std::shared_ptr<Flight>& flight) const {
  absl::MutexLock lock(&mutex_);
  std::optional<absl::Duration> strictest;
  for (const Waiter& waiter : flight->waiters) {
    if (waiter.max_age.has_value()) strictest = std::min(strictest.value_or(*waiter.max_age), *waiter.max_age);
  }
  return strictest;
}

void FlightTable::Unlist(const Digest& digest, const std::shared_ptr<Flight>& flight) {
  const auto found = flights_.find(digest);
  if (found != flights_.end() && found->second == flight) flights_.erase(found);
}

}  // namespace credcache
