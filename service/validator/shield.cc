#include "validator/shield.h"

#include <algorithm>

namespace credcache {
namespace {

// Which addresses are known beside those of one account that is being guessed at is a small number.
constexpr int64_t kAccountsPerKnownAddress = 4;

bool IsProxy(const IpAddress& address, const ThrottlePolicy& policy) {
  return std::any_of(policy.proxies.begin(), policy.proxies.end(),
                     [&](const IpNetwork& network) { return network.Contains(address); });
}

}  // namespace

Shield::Shield(const ThrottleMemory& memory, Clock& clock, Randomness& randomness)
    : seed_(randomness.Bits()),
      passwords_by_account_(memory.accounts, clock.Monotonic()),
      passwords_by_known_address_(memory.accounts / kAccountsPerKnownAddress, clock.Monotonic()),
      users_by_address_(memory.addresses, clock.Monotonic()),
      known_(memory.known_addresses, clock.Monotonic()) {}

Shield::Attempt Shield::Begin(RealmId realm, const Username& account, const IpAddress* address,
                              const ThrottlePolicy& policy, MonotonicTime now) const {
  Attempt attempt;
  attempt.account_ = KeyOf(realm, account);
  if (address == nullptr || IsProxy(*address, policy)) return attempt;
  attempt.address_ = TableKey(seed_, address->Site());
  attempt.pair_ = PairOf(attempt.account_, attempt.address_);
  attempt.known_ = known_.Contains(attempt.pair_, policy.known_for, now);
  return attempt;
}

Shield::Attempt Shield::As(RealmId realm, const Username& account, const Attempt& attempt) const {
  Attempt renamed = attempt;
  renamed.account_ = KeyOf(realm, account);
  if (renamed.address_ != 0) renamed.pair_ = PairOf(renamed.account_, renamed.address_);
  return renamed;
}

uint64_t Shield::KeyOf(RealmId realm, const Username& account) const { return TableKey(seed_, realm, account); }

uint64_t Shield::PairOf(uint64_t account, uint64_t address) const { return TableKey(seed_, account, address); }

std::optional<Shield::Refusal> Shield::Refuses(const Attempt& attempt, const ThrottlePolicy& policy,
                                               MonotonicTime now) const {
  const auto refusal = [](ThrottleReason reason, absl::Duration full_for) -> std::optional<Refusal> {
    if (full_for == absl::ZeroDuration()) return std::nullopt;
    return Refusal{.reason = reason, .retry_after = full_for};
  };
  if (attempt.known_) {
    return refusal(ThrottleReason::kKnownAddress,
                   passwords_by_known_address_.FullFor(attempt.pair_, policy.known_address, now));
  }
  if (auto full =
          refusal(ThrottleReason::kAccount, passwords_by_account_.FullFor(attempt.account_, policy.account, now))) {
    return full;
  }
  if (attempt.address_ == 0) return std::nullopt;
  return refusal(ThrottleReason::kAddress, users_by_address_.FullFor(attempt.address_, policy.address, now));
}

void Shield::Succeeded(const Attempt& attempt, MonotonicTime now) {
  if (attempt.address_ != 0) known_.Learn(attempt.pair_, now);
}

void Shield::Guessed(const Attempt& attempt, uint32_t password_tag, const ThrottlePolicy& policy, MonotonicTime now) {
  if (attempt.known_) {
    passwords_by_known_address_.Add(attempt.pair_, password_tag, policy.known_address, now);
  } else {
    passwords_by_account_.Add(attempt.account_, password_tag, policy.account, now);
  }
}

void Shield::ProvedRight(const Attempt& attempt, uint32_t password_tag) {
  if (attempt.known_) {
    passwords_by_known_address_.Remove(attempt.pair_, password_tag);
  } else {
    passwords_by_account_.Remove(attempt.account_, password_tag);
  }
}

// One that is known there is a household's stale phone more often than a sprayer.
void Shield::Failed(const Attempt& attempt, const ThrottlePolicy& policy, MonotonicTime now) {
  if (attempt.known_ || attempt.address_ == 0) return;
  users_by_address_.Add(attempt.address_, static_cast<uint32_t>(attempt.account_ >> 32), policy.address, now);
}

}  // namespace credcache
