#include "backends/kerberos_worker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/kerberos_exchange.h"
#include "backends/kerberos_names.h"
#include "backends/kerberos_result.h"
#include "backends/kerberos_ticket.h"

namespace credcache {
namespace {

// Whose ticket a KDC gives to who must change an expired password first.
constexpr const char* kChangePassword = "kadmin/changepw";
constexpr absl::Duration kProbeTimeout = absl::Seconds(1);

bool IsRejection(Decision decision) {
  return decision == Decision::kUnknownUser || decision == Decision::kWrongPassword || decision == Decision::kLocked;
}

}  // namespace

KerberosWorker::KerberosWorker(const KerberosBackendOptions& options, KerberosKdcs& kdcs, KerberosTypicalTimes& typical,
                               Clock& clock, Reporter& reporter)
    : options_(options), kdcs_(kdcs), typical_(typical), clock_(clock), reporter_(reporter) {}

absl::StatusOr<std::optional<Account>> KerberosWorker::Resolve(const NameQuery& query) {
  return Account{.name = query.name};
}

absl::Status KerberosWorker::Prepare() {
  if (parts_.has_value()) return absl::OkStatus();
  auto context = KerberosContext::Open(options_.krb5_conf);
  if (!context.ok()) return context.status();
  auto service = ServicePrincipal(**context, options_.realm, options_.service);
  if (!service.ok()) return service.status();
  const auto kdcs = kdcs_.Get();
  if (!kdcs.ok()) return kdcs.status();
  auto client = std::make_unique<KerberosClient>(**context, **kdcs, clock_, options_.timeout);
  parts_.emplace(Parts{
      .context = *std::move(context), .service = *std::move(service), .client = std::move(client), .kdcs = *kdcs});
  return absl::OkStatus();
}

absl::StatusOr<Verdict> KerberosWorker::Validate(const Question& question) {
  const MonotonicTime began = clock_.Monotonic();
  Course course;
  auto verdict = Ask(question, course);
  if (!verdict.ok()) return course.proof_sent ? verdict : WithoutRejection(verdict.status());
  Wait(verdict->decision, course, began, question.deadline);
  return verdict;
}

void KerberosWorker::Wait(Decision decision, const Course& course, MonotonicTime began, MonotonicTime deadline) {
  if (!IsRejection(decision)) return;
  const bool checked = decision == Decision::kWrongPassword && course.proof_sent;
  const MonotonicTime now = clock_.Monotonic();
  if (checked && course.expired) return typical_.expired.Learn(now - began);
  if (checked) typical_.rejection.Learn(now - began);
  // As long as the question more, for which who is expired has to wait; until one of those was met, no time at all.
  const absl::Duration more = HowMuchLonger(typical_.expired, typical_.rejection);
  if (checked) return WaitUntil(clock_, std::min(now + more, deadline));
  // What a KDC refuses without a look at the password takes as long as a wrong one.
  WaitAsLong(typical_.rejection, clock_, began + more, deadline);
}

absl::StatusOr<Verdict> KerberosWorker::Ask(const Question& question, Course& course) {
  if (!IsPrincipalComponent(question.name.view())) return Verdict{.decision = Decision::kUnknownUser};
  if (!IsKerberosPassword(question.password.view().Expose())) return Verdict{.decision = Decision::kWrongPassword};
  const absl::Status prepared = Prepare();
  if (!prepared.ok()) {
    reporter_.Report(Severity::kError, "kerberos_error", prepared.message());
    return prepared;
  }
  const auto keytab = OpenKeytab(*parts_->context, options_.keytab, parts_->service.get());
  if (!keytab.ok()) {
    reporter_.Report(Severity::kError, "kerberos_keytab", keytab.status().message());
    return keytab.status();
  }
  const auto user = UserPrincipal(*parts_->context, options_.realm, question.name.view());
  if (!user.ok()) return user.status();
  const auto reply =
      parts_->client->Ask(user->get(), options_.service, question.password, question.deadline, &course.proof_sent);
  if (!reply.ok()) return reply.status();
  if (reply->code == KRB5KDC_ERR_KEY_EXP) {
    course.expired = true;
    const auto decision = AskExpired(user->get(), question, &course.proof_sent);
    if (!decision.ok()) return decision.status();
    return Verdict{.decision = *decision};
  }
  if (reply->code != 0) {
    const std::optional<Decision> decision = DecisionOf(reply->code);
    if (!decision.has_value()) return Trouble(*reply);
    return Verdict{.decision = *decision};
  }
  const absl::Status verified =
      VerifyTicket(*parts_->context, keytab->get(), user->get(), parts_->service.get(), *reply->credentials);
  if (!verified.ok()) {
    // Whoever gave the ticket took the password for right.
    course.proof_sent = false;
    reporter_.Report(Severity::kError, "kerberos_not_verified",
                     absl::StrCat("realm ", options_.realm, ", service ", options_.service, ", keytab ",
                                  options_.keytab, ": ", verified.message()));
    return verified;
  }
  // Nothing in the name needs escaping, so this is what the KDC calls the principal too.
  return Verdict{.decision = Decision::kAccepted,
                 .identity = Identity(question.name.view(), absl::StrCat(question.name.view(), "@", options_.realm))};
}

// MIT's KDC says `expired` before it looks at the password, so whether that is right is asked by a ticket that it gives
// to who must change it: there the password is checked, and counted, as in any log-on. A KDC that gives none leaves it
// unknown, and then nothing is told.
absl::StatusOr<Decision> KerberosWorker::AskExpired(krb5_principal user, const Question& question, bool* proof_sent) {
  const auto reply = parts_->client->Ask(user, kChangePassword, question.password, question.deadline, proof_sent);
  if (!reply.ok()) return reply.status();
  if (reply->code == 0) return Decision::kPasswordExpired;
  if (reply->code == KRB5KDC_ERR_KEY_EXP || reply->code == KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN) return Decision::kLocked;
  const std::optional<Decision> decision = DecisionOf(reply->code);
  if (!decision.has_value()) return Trouble(*reply);
  return *decision;
}

absl::Status KerberosWorker::Trouble(const KdcReply& reply) {
  const absl::Status error = absl::UnavailableError(absl::StrCat("realm ", options_.realm, ": ", reply.text));
  reporter_.Report(Severity::kWarning, "kerberos_error", error.message());
  return IsOfOneAccount(reply.code) ? WithoutBlame(error) : error;
}

void KerberosWorker::Rest() {
  if (!parts_.has_value()) return;
  const auto server = parts_->kdcs->servers.ClaimProbe();
  if (!server.has_value()) return;
  // In the service's own name, which the KDC knows.
  const auto request = parts_->client->FirstRequest(parts_->service.get(), options_.service);
  if (!request.ok()) return;
  const MonotonicTime deadline = clock_.Monotonic() + std::min(options_.timeout, kProbeTimeout);
  bool sent = false;
  const auto answer =
      AskKdc(parts_->kdcs->addresses[*server], *request, clock_, {.connection = deadline, .answer = deadline}, &sent);
  if (answer.ok()) {
    parts_->kdcs->servers.MarkUp(*server);
  } else {
    parts_->kdcs->servers.MarkDown(*server, Servers::Failure::kUnreachable, answer.status().message());
  }
}

}  // namespace credcache
