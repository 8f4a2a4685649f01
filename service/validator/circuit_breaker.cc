#include "validator/circuit_breaker.h"

#include <algorithm>

#include "base/jitter.h"

namespace credcache {

std::optional<CircuitBreaker::Ticket> CircuitBreaker::Admit() {
  const absl::MutexLock lock(&mutex_);
  if (state_ == CircuitState::kClosed) return Ticket{.opened = opened_};
  if (state_ == CircuitState::kHalfOpen || clock_.Monotonic() < open_until_) return std::nullopt;
  state_ = CircuitState::kHalfOpen;
  return Ticket{.opened = opened_, .probe = true};
}

bool CircuitBreaker::Ended(const Ticket& ticket, End end) {
  const absl::MutexLock lock(&mutex_);
  const CircuitState before = state_;
  // What began before the circuit last opened has had its say, unless it is good news.
  const bool current = ticket.opened == opened_;
  switch (end) {
    case End::kAnswered:
      state_ = CircuitState::kClosed;
      failures_ = 0;
      pause_ = policy_.first_pause;
      break;
    case End::kFailed:
      if (!current) break;
      if (state_ == CircuitState::kHalfOpen || (state_ == CircuitState::kClosed && ++failures_ >= policy_.failures)) {
        Open();
      }
      break;
    case End::kUntold:
      // The next one may try at once.
      if (current && ticket.probe && state_ == CircuitState::kHalfOpen) state_ = CircuitState::kOpen;
      break;
  }
  return (before == CircuitState::kClosed) != (state_ == CircuitState::kClosed);
}

CircuitState CircuitBreaker::state() const {
  const absl::MutexLock lock(&mutex_);
  return state_;
}

void CircuitBreaker::Open() {
  state_ = CircuitState::kOpen;
  failures_ = 0;
  ++opened_;
  open_until_ = clock_.Monotonic() + Jittered(pause_, randomness_);
  pause_ = std::min(pause_ * 2, policy_.longest_pause);
}

}  // namespace credcache
