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

Shield::Attempt Shield::Begin(uint64_t account, const IpAddress* address, const ThrottlePolicy& policy,
                              MonotonicTime now) const {
  Attempt attempt;
  attempt.account_ = account;
  attempt.began_ = now;
  if (address == nullptr || IsProxy(*address, policy)) return attempt;
  attempt.address_ = TableKey(seed_, address->Site());
  attempt.pair_ = PairOf(attempt.account_, attempt.address_);
  known_.Prefetch(attempt.pair_);
  return attempt;
}

Shield::Attempt Shield::As(uint64_t account, const Attempt& attempt) const {
  Attempt renamed = attempt;
  renamed.account_ = account;
  if (renamed.address_ != 0) renamed.pair_ = PairOf(renamed.account_, renamed.address_);
  return renamed;
}

uint64_t Shield::HashOf(RealmId realm, const Username& account) const { return TableKey(seed_, realm, account); }

uint64_t Shield::PairOf(uint64_t account, uint64_t address) const { return TableKey(seed_, account, address); }

bool Shield::IsKnown(Attempt& attempt, const ThrottlePolicy& policy) const {
  if (!attempt.known_.has_value()) {
    attempt.known_ = attempt.address_ != 0 && known_.Contains(attempt.pair_, policy.known_for, attempt.began_);
  }
  return *attempt.known_;
}

std::optional<Shield::Refusal> Shield::Refuses(Attempt& attempt, const ThrottlePolicy& policy) const {
  const MonotonicTime now = attempt.began_;
  const bool has_address = attempt.address_ != 0;
  // Nearly always nothing is near a limit, and it makes no difference whether the address is known.
  if (!passwords_by_account_.MayBeFull(attempt.account_, policy.account, now) &&
      !(has_address && (passwords_by_known_address_.MayBeFull(attempt.pair_, policy.known_address, now) ||
                        users_by_address_.MayBeFull(attempt.address_, policy.address, now)))) {
    return std::nullopt;
  }
  const auto refusal = [](ThrottleReason reason, absl::Duration full_for) -> std::optional<Refusal> {
    if (full_for == absl::ZeroDuration()) return std::nullopt;
    return Refusal{.reason = reason, .retry_after = full_for};
  };
  if (IsKnown(attempt, policy)) {
    return refusal(ThrottleReason::kKnownAddress,
                   passwords_by_known_address_.FullFor(attempt.pair_, policy.known_address, now));
  }
  if (auto full =
          refusal(ThrottleReason::kAccount, passwords_by_account_.FullFor(attempt.account_, policy.account, now))) {
    return full;
  }
  if (!has_address) return std::nullopt;
  return refusal(ThrottleReason::kAddress, users_by_address_.FullFor(attempt.address_, policy.address, now));
}

void Shield::Succeeded(const Attempt& attempt) {
  if (attempt.address_ != 0) known_.Learn(attempt.pair_, attempt.began_);
}

void Shield::Guessed(Attempt& attempt, uint32_t password_tag, const ThrottlePolicy& policy) {
  if (IsKnown(attempt, policy)) {
    passwords_by_known_address_.Add(attempt.pair_, password_tag, policy.known_address, attempt.began_);
  } else {
    passwords_by_account_.Add(attempt.account_, password_tag, policy.account, attempt.began_);
  }
}

void Shield::ProvedRight(Attempt& attempt, uint32_t password_tag, const ThrottlePolicy& policy) {
  if (IsKnown(attempt, policy)) {
    passwords_by_known_address_.Remove(attempt.pair_, password_tag);
  } else {
    passwords_by_account_.Remove(attempt.account_, password_tag);
  }
}

// One that is known there is a household's stale phone more often than a sprayer.
void Shield::Failed(Attempt& attempt, const ThrottlePolicy& policy) {
  if (attempt.address_ == 0 || IsKnown(attempt, policy)) return;
  users_by_address_.Add(attempt.address_, static_cast<uint32_t>(attempt.account_ >> 32), policy.address,
                        attempt.began_);
}

}  // namespace credcache
