#include "validator/budget.h"

#include <algorithm>

#include "absl/hash/hash.h"

namespace credcache {
namespace {

// From so many on, the last attempt is kept for those who are likely to be right.
constexpr int kSmallestWithReserve = 3;

int ForStrangers(const BudgetPolicy& policy) {
  return policy.rejections >= kSmallestWithReserve ? policy.rejections - 1 : policy.rejections;
}

// Where the table is full of attempts under way.
constexpr absl::Duration kTableFull = absl::Seconds(1);

}  // namespace

int64_t Budget::Record::Weight(MonotonicTime now) const {
  return under_way > 0 ? BoundedTable<Record>::kIrreplaceable : Spent(now);
}

int Budget::Record::Spent(MonotonicTime now) const {
  const bool over = now.nanoseconds() >= window_ends;
  return static_cast<int>(under_way + (over ? 0 : counted - forgiven));
}

// One under way may be given back at any moment.
absl::Duration Budget::Record::Left(MonotonicTime now) const {
  return std::max(absl::Nanoseconds(window_ends - now.nanoseconds()), absl::Seconds(1));
}

Budget::Budget(int64_t accounts, Clock& clock, Randomness& randomness)
    : seed_(randomness.Bits()), clock_(clock), table_(accounts) {}

uint64_t Budget::KeyOf(RealmId realm, const Username& account) const {
  return std::max<uint64_t>(1, absl::HashOf(seed_, realm, account));
}

Budget::Charged Budget::Charge(RealmId realm, const Username& account, const BudgetPolicy& policy, Claim claim) {
  const MonotonicTime now = clock_.Monotonic();
  const int most = claim == Claim::kStranger ? ForStrangers(policy) : policy.rejections;
  Attempt attempt;
  attempt.account_ = KeyOf(realm, account);
  Charged charged;
  const bool there = table_.Update(attempt.account_, now, [&](Record& record) {
    if (now.nanoseconds() >= record.window_ends) record.forgiven = record.counted;
    if (claim != Claim::kDryRun && record.Spent(now) >= most) {
      charged.retry_after = record.Left(now);
      return;
    }
    ++record.under_way;
    attempt.counted_ = record.counted;
    charged.attempt = attempt;
  });
  if (!there) charged.retry_after = kTableFull;
  return charged;
}

void Budget::Rejected(const Attempt& attempt, const BudgetPolicy& policy) {
  const MonotonicTime now = clock_.Monotonic();
  table_.UpdateIfThere(attempt.account_, [&](Record& record) {
    if (now.nanoseconds() >= record.window_ends) record.forgiven = record.counted;
    --record.under_way;
    ++record.counted;
    record.window_ends = (now + policy.window).nanoseconds();
  });
}

// Rejections that came while the accepted one was under way may have been counted after it.
void Budget::Accepted(const Attempt& attempt) {
  table_.UpdateIfThere(attempt.account_, [&](Record& record) {
    --record.under_way;
    if (static_cast<int32_t>(attempt.counted_ - record.forgiven) > 0) record.forgiven = attempt.counted_;
  });
}

void Budget::GiveBack(const Attempt& attempt) {
  table_.UpdateIfThere(attempt.account_, [](Record& record) { --record.under_way; });
}

absl::Duration Budget::ConfirmableIn(RealmId realm, const Username& account, const BudgetPolicy& policy) const {
  if (policy.rejections <= 0) return absl::ZeroDuration();
  const MonotonicTime now = clock_.Monotonic();
  absl::Duration in;
  table_.UpdateIfThere(KeyOf(realm, account), [&](const Record& record) {
    const int spent = record.Spent(now);
    if (spent > 0 && ForStrangers(policy) - spent <= 1) in = record.Left(now);
  });
  return in;
}

}  // namespace credcache
