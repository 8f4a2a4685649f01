// A realm's validators as app.cc composes them, over a model of a directory that locks accounts.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "backends/recording_reporter.h"
#include "base/fake_clock.h"
#include "base/random.h"
#include "cache/cache.h"
#include "cache/digest.h"
#include "journal/memory_journal.h"
#include "metrics/metrics.h"
#include "validator/budget.h"
#include "validator/budgeted_validator.h"
#include "validator/caching_validator.h"
#include "validator/fake_validator.h"
#include "validator/shield.h"
#include "validator/shielded_validator.h"

namespace credcache {

// Active Directory's counter: each wrong password adds one and starts the window anew, a right one clears it, and at
// the threshold the account is locked, as is seen, for good. Not thread-safe.
class LockingDirectory final : public Validator {
 public:
  LockingDirectory(Clock& clock, int threshold, absl::Duration window)
      : clock_(clock), threshold_(threshold), window_(window) {}

  void SetPassword(absl::string_view name, absl::string_view password) {
    accounts_[std::string(name)].password = std::string(password);
  }
  int binds() const { return binds_; }
  int rejections() const { return rejections_; }
  bool AnyLocked() const {
    return std::any_of(accounts_.begin(), accounts_.end(), [](const auto& account) { return account.second.locked; });
  }

  void Resolve(const NameQuery& query, ResolveDone done) override {
    if (!accounts_.contains(std::string(query.name.view()))) return done(std::optional<Account>());
    done(Account{.name = query.name});
  }
  void Validate(const LogOn& log_on, ValidateDone done) override {
    ++binds_;
    const auto found = accounts_.find(std::string(log_on.account->name.view()));
    if (found == accounts_.end()) return done(Verdict{.decision = Decision::kUnknownUser});
    State& account = found->second;
    if (account.locked) return done(Verdict{.decision = Decision::kLocked});
    if (clock_.Monotonic() - account.last_failure >= window_) account.failures = 0;
    if (SecretView(account.password) == log_on.password) {
      account.failures = 0;
      return done(Verdict{.decision = Decision::kAccepted, .identity = Identity(found->first, "id-" + found->first)});
    }
    ++rejections_;
    account.last_failure = clock_.Monotonic();
    account.locked = ++account.failures >= threshold_;
    done(Verdict{.decision = Decision::kWrongPassword});
  }

 private:
  struct State {
    std::string password;
    int failures = 0;
    MonotonicTime last_failure;
    bool locked = false;
  };
  Clock& clock_;
  const int threshold_;
  const absl::Duration window_;
  std::map<std::string, State> accounts_;
  int binds_ = 0;
  int rejections_ = 0;
};

// Nothing may be under way when it goes.
class ProtectedStack {
 public:
  struct Options {
    CachePolicy cache;
    ThrottlePolicy throttle;
    BudgetPolicy budget;
    ThrottleMemory memory;
    CacheOptions cache_options = {.buckets = 4, .max_entries = 10'000};
  };
  ProtectedStack(const Options& options, FakeClock& clock, std::shared_ptr<Validator> directory)
      : clock_(clock),
        cache_(options.cache_options, clock, randomness_),
        budget_(options.memory.accounts, clock, randomness_),
        shield_(options.memory, clock, randomness_) {
    auto budgeted = std::make_shared<BudgetedValidator>(
        BudgetOptions{.realm = "corp", .policy = options.budget, .dry_run = options.throttle.dry_run},
        BudgetedValidator::Shared{.budget = budget_, .metrics = metrics_.ForRealm("corp"), .reporter = reporter_},
        std::move(directory));
    auto caching = std::make_unique<CachingValidator>(
        CachingOptions{.realm = "corp", .policy = options.cache, .budget = options.budget},
        CachingValidator::Shared{.cache = &cache_,
                                 .digester = digester_,
                                 .flights = flights_,
                                 .revisions = journal_,
                                 .clock = clock_,
                                 .budget = &budget_},
        metrics_.ForRealm("corp"), std::move(budgeted));
    validator_ = std::make_unique<ShieldedValidator>(
        ShieldOptions{.realm = "corp", .cache_policy = options.cache, .policy = options.throttle},
        ShieldedValidator::Shared{.shield = shield_,
                                  .cache = &cache_,
                                  .clock = clock_,
                                  .metrics = metrics_.ForRealm("corp"),
                                  .reporter = reporter_},
        std::move(caching));
  }

  // The verdict, which has to come at once.
  Verdict Ask(absl::string_view name, absl::string_view password, absl::string_view address = "") {
    std::optional<Verdict> answer;
    Start(name, password, address, [&](absl::StatusOr<Verdict> verdict) { answer = verdict.value(); });
    return answer.value();
  }
  Decision Decided(absl::string_view name, absl::string_view password, absl::string_view address = "") {
    return Ask(name, password, address).decision;
  }
  // Every other one is expected first, which must make no difference.
  void Start(absl::string_view name, absl::string_view password, absl::string_view address,
             Validator::ValidateDone done) {
    const std::optional<IpAddress> parsed = IpAddress::Parse(address);
    const Username username = Name(name);
    expected_ = !expected_;
    validator_->Validate({.username = username,
                          .name_hash = expected_ ? validator_->Expect(username) : 0,
                          .password = SecretView(password),
                          .asked_at = clock_.Monotonic(),
                          .client_address = parsed.has_value() ? &*parsed : nullptr},
                         std::move(done));
  }

  Validator& validator() { return *validator_; }
  RealmCounts counts() { return metrics_.ForRealm("corp").Counts(); }
  const Cache& cache() const { return cache_; }

 private:
  FakeClock& clock_;
  SystemRandomness randomness_;
  RecordingReporter reporter_;
  Cache cache_;
  Digester digester_{randomness_};
  FlightTable flights_;
  MemoryJournal journal_{"test", [](Revision, const Invalidation&) { return 0; }};
  Metrics metrics_{{}};
  Budget budget_;
  Shield shield_;
  std::unique_ptr<ShieldedValidator> validator_;
  bool expected_ = false;
};

}  // namespace credcache
