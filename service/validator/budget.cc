#include "validator/budget.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace credcache {
namespace {

// From so many on, the last attempt is kept for those who are likely to be right.
constexpr int kSmallestWithReserve = 3;

int ForStrangers(const BudgetPolicy& policy) {
  return policy.rejections >= kSmallestWithReserve ? policy.rejections - 1 : policy.rejections;
}

// Where there is no room for one more, under way or waiting.
constexpr absl::Duration kFull = absl::Seconds(1);

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

uint64_t Budget::KeyOf(RealmId realm, const Username& account) const { return TableKey(seed_, realm, account); }

void Budget::Charge(RealmId realm, const Username& account, const BudgetPolicy& policy, Claim claim, Done done) {
  const uint64_t key = KeyOf(realm, account);
  if (std::optional<Charged> charged = TryCharge(key, policy, claim)) return done(*charged);
  std::optional<Charged> charged;
  if (waiting_count_.fetch_add(1) < kMaxBackendQueue) {
    const absl::MutexLock lock(&mutex_);
    charged = TryCharge(key, policy, claim);
    if (!charged.has_value()) {
      waiting_[key].push_back({.policy = policy, .claim = claim, .done = std::move(done)});
      return;
    }
  }
  waiting_count_.fetch_sub(1);
  done(charged.value_or(Charged{.retry_after = kFull}));
}

std::optional<Budget::Charged> Budget::TryCharge(uint64_t account, const BudgetPolicy& policy, Claim claim) {
  const MonotonicTime now = clock_.Monotonic();
  const int most = claim == Claim::kStranger ? ForStrangers(policy) : policy.rejections;
  std::optional<Charged> charged;
  const bool there = table_.Update(account, now, [&](Record& record) {
    if (now.nanoseconds() >= record.window_ends) record.forgiven = record.counted;
    const auto under_way = static_cast<int>(record.under_way);
    if (claim != Claim::kDryRun && record.Spent(now) >= most) {
      if (record.Spent(now) - under_way >= most) charged = Charged{.retry_after = record.Left(now)};
      return;
    }
    charged.emplace();
    charged->over = record.Spent(now) - under_way >= most;
    ++record.under_way;
    Attempt attempt;
    attempt.account_ = account;
    attempt.counted_ = record.counted;
    charged->attempt = attempt;
  });
  if (!there) charged = Charged{.retry_after = kFull};
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
  Ended(attempt.account_);
}

// Rejections that came while the accepted one was under way may have been counted after it.
void Budget::Accepted(const Attempt& attempt) {
  table_.UpdateIfThere(attempt.account_, [&](Record& record) {
    --record.under_way;
    if (static_cast<int32_t>(attempt.counted_ - record.forgiven) > 0) record.forgiven = attempt.counted_;
  });
  Ended(attempt.account_);
}

void Budget::GiveBack(const Attempt& attempt) {
  table_.UpdateIfThere(attempt.account_, [](Record& record) { --record.under_way; });
  Ended(attempt.account_);
}

void Budget::Ended(uint64_t account) {
  if (waiting_count_.load() == 0) return;
  // Those who go on, outside the lock. One that is answered at once ends an attempt itself: it comes back here, and the
  // next go on from the outermost call, so that a long queue makes no deep stack.
  static thread_local std::deque<std::pair<Done, Charged>> going;
  static thread_local bool is_going = false;
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = waiting_.find(account);
    if (found == waiting_.end()) return;
    std::deque<Waiting>& queue = found->second;
    while (!queue.empty()) {
      Waiting& first = queue.front();
      const std::optional<Charged> charged = TryCharge(account, first.policy, first.claim);
      if (!charged.has_value()) break;
      going.emplace_back(std::move(first.done), *charged);
      queue.pop_front();
      waiting_count_.fetch_sub(1);
    }
    if (queue.empty()) waiting_.erase(found);
  }
  if (std::exchange(is_going, true)) return;
  while (!going.empty()) {
    auto [done, charged] = std::move(going.front());
    going.pop_front();
    done(charged);
  }
  is_going = false;
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
