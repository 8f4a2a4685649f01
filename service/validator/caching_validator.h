// The heart of credcache: answers a log-on from the cache, else validates it once, however many ask, and remembers what
// came of it (design, section 5).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/cache_policy.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/realm_feeds.h"
#include "base/revision.h"
#include "base/throttle_policy.h"
#include "cache/cache.h"
#include "cache/digest.h"
#include "metrics/metrics.h"
#include "validator/budget.h"
#include "validator/flight.h"
#include "validator/validator.h"

namespace credcache {

// What one realm's caching validator needs to know of it.
struct CachingOptions {
  std::string realm;
  RealmId realm_id{};
  CaseRule case_rule = CaseRule::kFold;
  CachePolicy policy;
  // While one of them is down, policy.WhileFeedIsDown() holds. Null: there is none.
  std::shared_ptr<const RealmFeeds> feeds;
  BudgetPolicy budget;
};

// Thread-safe. A hit is answered on the caller's thread, without allocation and without waiting for anything but one
// bucket's lock. Everything else is answered on whichever thread the inner validator answers on. A flight goes on when
// its callers have left.
class CachingValidator final : public Validator {
 public:
  // What the realms share. All outlive the validator.
  struct Shared {
    Cache* cache;  // null: the cache is off (size 0), each log-on is validated
    const Digester& digester;
    FlightTable& flights;
    const RevisionSource& revisions;
    Clock& clock;
    const Budget* budget = nullptr;  // says whether what is known to be wrong may be asked again; null: always
  };

  // `inner` may be in use by another caching validator of the same realm, one from before a reload.
  CachingValidator(CachingOptions options, const Shared& shared, RealmMetrics& metrics,
                   std::shared_ptr<Validator> inner);
  // Waits until the flights that began here have landed.
  ~CachingValidator() override;

  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  // What holds at this moment.
  const CachePolicy& policy() const {
    return options_.feeds == nullptr || options_.feeds->AllUp() ? options_.policy : feed_down_policy_;
  }
  AccountKey Key(const Username& name) const { return {options_.realm_id, name}; }
  Digest DigestOf(const Username& account, SecretView password) const;
  // Whether a log-on as `asked` may wait for `flight`: it is fresh enough, and nothing forgot the account since it
  // began.
  bool MayJoin(const Flight& flight, const Username& asked, std::optional<absl::Duration> max_age) const;
  void CountHit(const Finding& finding);
  Verdict FromFinding(Finding&& finding, const Digest& digest, Source source) const;
  // The answer for what is known to be wrong and may not be asked again yet.
  std::optional<Verdict> RejectUnasked(const Finding& finding, const Username& account, const Digest& digest);

  void ValidateUncached(const LogOn& log_on, ValidateDone done);
  void BeginRefresh(const LogOn& log_on, const Username& account, const Digest& digest);

  // A flight, step by step: begin, find out the account, validate, land.
  std::shared_ptr<Flight> NewFlight(const LogOn& log_on, const Username& account, const Digest& digest, bool refresh,
                                    bool trusted);
  void Begin(const std::shared_ptr<Flight>& flight);
  void Resolve(const std::shared_ptr<Flight>& flight);
  void AfterResolve(const std::shared_ptr<Flight>& flight, absl::StatusOr<std::optional<Account>> resolved);
  // Whether the flight has ended because what the asked name stands for is in the cache, or on its way in another
  // flight.
  bool SettledAs(const std::shared_ptr<Flight>& flight, const Username& account);
  void AnswerFromCache(const std::shared_ptr<Flight>& flight, const Finding& finding);
  void Land(const std::shared_ptr<Flight>& flight, absl::StatusOr<Verdict> verdict);
  FillOutcome Remember(const Flight& flight, const Verdict& verdict);
  void AnswerStale(const Flight& flight, const absl::Status& error, Waiter waiter);

  const CachingOptions options_;
  const CachePolicy feed_down_policy_;
  const Shared shared_;
  RealmMetrics& metrics_;
  const std::shared_ptr<Validator> inner_;

  void EndOne();

  absl::Mutex mutex_;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace credcache
