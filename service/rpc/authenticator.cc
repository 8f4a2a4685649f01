#include "rpc/authenticator.h"

#include <string>
#include <utility>

#include "rpc/convert.h"
#include "rpc/status.h"

namespace credcache {
namespace {

AuditReason ReasonOf(ThrottleReason reason) {
  switch (reason) {
    case ThrottleReason::kAccount:
      return AuditReason::kThrottledAccount;
    case ThrottleReason::kKnownAddress:
      return AuditReason::kThrottledKnownAddress;
    case ThrottleReason::kAddress:
      return AuditReason::kThrottledAddress;
    case ThrottleReason::kBudget:
      break;
  }
  return AuditReason::kThrottledBudget;
}

AuditReason ReasonOf(const Verdict& verdict) {
  switch (verdict.decision) {
    case Decision::kAccepted:
      return AuditReason::kOk;
    case Decision::kUnknownUser:
      return AuditReason::kUnknownUser;
    case Decision::kWrongPassword:
      return AuditReason::kWrongPassword;
    case Decision::kLocked:
      return AuditReason::kLocked;
    case Decision::kAccountDisabled:
      return AuditReason::kDisabled;
    case Decision::kPasswordExpired:
      return AuditReason::kExpired;
    case Decision::kThrottled:
      return ReasonOf(verdict.throttle);
  }
  return AuditReason::kWrongPassword;
}

}  // namespace

// What the records of a decision need to know of its request.
struct Authenticator::Decided {
  absl::string_view realm;
  absl::string_view username;
  absl::string_view client_address;
  absl::string_view caller;
  absl::string_view request_id;
  Protocol protocol;
  AuditReason reason;
  RealmMetrics& metrics;
  MonotonicTime began;
};

// A validation that may outlive the handler which began it. Two parties hold it: the handler, until it has an answer or
// detaches, and the validator, until it has answered. The one that comes second ends it.
class Authenticator::UnderWay {
 public:
  // One that is not in use: this thread's spare one, or new.
  static std::unique_ptr<UnderWay> Take(Authenticator& owner, MonotonicTime began) {
    std::unique_ptr<UnderWay> taken = Spare() != nullptr ? std::move(Spare()) : std::make_unique<UnderWay>();
    taken->owner_ = &owner;
    taken->began_ = began;
    return taken;
  }
  // For the thread's next log-on: nearly every answer is there before its handler looks. Both parties are done with it.
  static void GiveBack(std::unique_ptr<UnderWay> done) {
    done->state_.store(State::kAttached, std::memory_order_relaxed);
    Spare() = std::move(done);
  }

  // The validator's side.
  void Arrive(absl::StatusOr<Verdict> verdict) {
    verdict_ = std::move(verdict);
    if (state_.exchange(State::kArrived, std::memory_order_acq_rel) == State::kDetached) Deliver();
  }

  // The handler's side: whether the answer is there.
  bool arrived() const { return state_.load(std::memory_order_acquire) == State::kArrived; }
  absl::StatusOr<Verdict>& verdict() { return verdict_; }

  // The handler goes; what it knows is kept, and `later` will have the answer.
  void Detach(const Caller& caller, const LogOnRequest& request, const Username& username,
              std::shared_ptr<const Realms> realms, const Realm& realm, RealmMetrics& metrics, Later later) {
    known_.emplace(Known{.username = std::string(username.view()),
                         .client_address = std::string(request.client_address),
                         .caller = caller.name(),
                         .request_id = std::string(request.request_id),
                         .protocol = request.protocol,
                         .realms = std::move(realms),
                         .realm = &realm,
                         .metrics = &metrics,
                         .later = std::move(later)});
    if (state_.exchange(State::kDetached, std::memory_order_acq_rel) == State::kArrived) Deliver();
  }

 private:
  enum class State : uint8_t { kAttached, kDetached, kArrived };

  // What the handler knew, once it has gone.
  struct Known {
    std::string username;
    std::string client_address;
    std::string caller;
    std::string request_id;
    Protocol protocol;
    std::shared_ptr<const Realms> realms;
    const Realm* realm;
    RealmMetrics* metrics;
    Later later;
  };

  static std::unique_ptr<UnderWay>& Spare() {
    thread_local std::unique_ptr<UnderWay> spare;
    return spare;
  }

  void Deliver() {
    const std::unique_ptr<UnderWay> self(this);
    if (verdict_.ok()) {
      owner_->Record({.realm = known_->realm->name,
                      .username = known_->username,
                      .client_address = known_->client_address,
                      .caller = known_->caller,
                      .request_id = known_->request_id,
                      .protocol = known_->protocol,
                      .reason = ReasonOf(*verdict_),
                      .metrics = *known_->metrics,
                      .began = began_},
                     *verdict_);
    } else {
      verdict_ = MakeBackendError(verdict_.status());
    }
    known_->later({.verdict = std::move(verdict_), .realms = std::move(known_->realms), .realm = known_->realm});
  }

  Authenticator* owner_ = nullptr;
  MonotonicTime began_;
  std::atomic<State> state_{State::kAttached};
  absl::StatusOr<Verdict> verdict_;
  std::optional<Known> known_;
};

Authenticator::Authenticator(Clock& clock, Metrics& metrics, AuditLog& audit, Reporter& reporter)
    : clock_(clock),
      metrics_(metrics),
      audit_(audit),
      reporter_(reporter),
      no_realm_(metrics.ForRealm(Metrics::kNoRealm)) {}

std::optional<LogOnAnswer> Authenticator::Authenticate(const Caller& caller, const PreparedLogOn& log_on,
                                                       const std::shared_ptr<const Realms>& realms, MonotonicTime began,
                                                       MonotonicTime deadline, absl::FunctionRef<Later()> wait) {
  if (!log_on.request.ok()) return LogOnAnswer{.verdict = log_on.request.status()};
  const LogOnRequest& request = *log_on.request;
  const auto refused = [this](const absl::Status& error) {
    reporter_.Report(Severity::kWarning, "caller_refused", error.message());
    return LogOnAnswer{.verdict = error};
  };
  if (absl::Status status = caller.MayDo(Permission::kAuthenticate); !status.ok()) return refused(status);
  if (absl::Status status = caller.MayName(request.audience); !status.ok()) return refused(status);

  const absl::StatusOr<Realms::Routed>& routed = log_on.routed;
  if (!routed.ok()) return LogOnAnswer{.verdict = routed.status()};
  if (routed->realm == nullptr) {
    return Reject(caller, request, request.realm, AuditReason::kUnknownRealm, no_realm_, began);
  }
  const Realm& realm = *routed->realm;
  if (absl::Status status = caller.MayUseRealm(realm.name); !status.ok()) return refused(status);
  RealmMetrics& metrics = MetricsOf(realm);
  if (request.password.empty()) {
    return Reject(caller, request, realm.name, AuditReason::kEmptyPassword, metrics, began);
  }

  std::unique_ptr<UnderWay> under_way = UnderWay::Take(*this, began);
  realm.validator->Validate(
      {.username = routed->username,
       .name_hash = log_on.name_hash,
       .password = request.password,
       .max_age = caller.MaxAge(request.max_age),
       .deadline = deadline,
       .asked_at = began,
       .client_address = request.address.has_value() ? &*request.address : nullptr},
      [under_way = under_way.get()](absl::StatusOr<Verdict> verdict) { under_way->Arrive(std::move(verdict)); });
  if (!under_way->arrived()) {
    Later later = wait();
    under_way.release()->Detach(caller, request, routed->username, realms, realm, metrics, std::move(later));
    return std::nullopt;
  }
  LogOnAnswer answer{.verdict = std::move(under_way->verdict()), .realm = &realm};
  UnderWay::GiveBack(std::move(under_way));
  if (!answer.verdict.ok()) {
    answer.verdict = MakeBackendError(answer.verdict.status());
    return answer;
  }
  answer.decided_at = Record({.realm = realm.name,
                              .username = routed->username.view(),
                              .client_address = request.client_address,
                              .caller = caller.name(),
                              .request_id = request.request_id,
                              .protocol = request.protocol,
                              .reason = ReasonOf(*answer.verdict),
                              .metrics = metrics,
                              .began = began},
                             *answer.verdict);
  return answer;
}

LogOnAnswer Authenticator::Reject(const Caller& caller, const LogOnRequest& request, absl::string_view realm,
                                  AuditReason reason, RealmMetrics& metrics, MonotonicTime began) {
  Verdict verdict{.decision = Decision::kWrongPassword, .source = Source::kNone, .validated_at = clock_.Now()};
  const MonotonicTime decided_at = Record({.realm = realm,
                                           .username = request.username,
                                           .client_address = request.client_address,
                                           .caller = caller.name(),
                                           .request_id = request.request_id,
                                           .protocol = request.protocol,
                                           .reason = reason,
                                           .metrics = metrics,
                                           .began = began},
                                          verdict);
  return {.verdict = std::move(verdict), .decided_at = decided_at};
}

MonotonicTime Authenticator::Record(const Decided& decided, const Verdict& verdict) {
  const Outcome outcome = OutcomeOf(verdict.decision);
  const MonotonicTime now = clock_.Monotonic();
  const absl::Duration duration = now - decided.began;
  decided.metrics.CountAuthentication(decided.protocol, outcome, verdict.source, duration);
  if (outcome == Outcome::kThrottled) decided.metrics.CountThrottled(verdict.throttle);
  if (!audit_.Wants(verdict.source)) return now;
  audit_.Record({.realm = decided.realm,
                 .username = decided.username,
                 .client_address = decided.client_address,
                 .caller = decided.caller,
                 .protocol = Name(decided.protocol),
                 .request_id = decided.request_id,
                 .outcome = outcome,
                 .reason = decided.reason,
                 .source = verdict.source,
                 .duration = duration,
                 .validated_at = verdict.validated_at});
  return now;
}

RealmMetrics& Authenticator::MetricsOf(const Realm& realm) {
  const size_t index = static_cast<size_t>(realm.id);
  if (index >= kRealmsByIndex) return metrics_.ForRealm(realm.name);
  RealmMetrics* metrics = realm_metrics_[index].load(std::memory_order_acquire);
  if (metrics == nullptr) {
    metrics = &metrics_.ForRealm(realm.name);
    realm_metrics_[index].store(metrics, std::memory_order_release);
  }
  return *metrics;
}

}  // namespace credcache
