#include "validator/breaker_validator.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

CircuitBreaker::End EndOf(const absl::Status& status) {
  if (status.ok()) return CircuitBreaker::End::kAnswered;
  return BlamesBackend(status) ? CircuitBreaker::End::kFailed : CircuitBreaker::End::kUntold;
}

}  // namespace

BreakerValidator::BreakerValidator(BreakerOptions options, const Shared& shared, std::unique_ptr<Validator> inner)
    : options_(std::move(options)),
      shared_(shared),
      breaker_(options_.policy, shared.clock, shared.randomness),
      inner_(std::move(inner)) {
  shared_.metrics.SetCircuit(CircuitState::kClosed);
}

void BreakerValidator::Resolve(const NameQuery& query, ResolveDone done) {
  const auto ticket = Admit();
  if (!ticket) return done(Refusal());
  inner_->Resolve(
      query, [this, ticket = *ticket, done = std::move(done)](absl::StatusOr<std::optional<Account>> account) mutable {
        Ended(ticket, account.status());
        done(std::move(account));
      });
}

void BreakerValidator::Validate(const LogOn& log_on, ValidateDone done) {
  const auto ticket = Admit();
  if (!ticket) return done(Refusal());
  inner_->Validate(log_on, [this, ticket = *ticket, done = std::move(done)](absl::StatusOr<Verdict> verdict) mutable {
    Ended(ticket, verdict.status());
    done(std::move(verdict));
  });
}

std::optional<CircuitBreaker::Ticket> BreakerValidator::Admit() {
  auto ticket = breaker_.Admit();
  if (ticket && ticket->probe) shared_.metrics.SetCircuit(breaker_.state());
  return ticket;
}

absl::Status BreakerValidator::Refusal() {
  shared_.metrics.CountRefused();
  const absl::MutexLock lock(&mutex_);
  return WithoutBlame(
      WithoutRejection(absl::UnavailableError(absl::StrCat("not asked, since it does not answer: ", last_error_))));
}

void BreakerValidator::Ended(const CircuitBreaker::Ticket& ticket, const absl::Status& status) {
  if (!status.ok()) {
    const absl::MutexLock lock(&mutex_);
    last_error_ = std::string(status.message());
  }
  const bool news = breaker_.Ended(ticket, EndOf(status));
  if (news || ticket.probe) shared_.metrics.SetCircuit(breaker_.state());
  if (!news) return;
  if (status.ok()) {
    shared_.reporter.Report(Severity::kInfo, "circuit_closed", absl::StrCat(options_.backend, ": answers again"));
  } else {
    shared_.reporter.Report(
        Severity::kError, "circuit_open",
        absl::StrCat(options_.backend, ": does not answer, so nobody waits for it any longer: ", status.message()));
  }
}

}  // namespace credcache
