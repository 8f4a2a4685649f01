// One thread's questions to a Kerberos realm: passwords, and tickets that show who said that they are right.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/kerberos_client.h"
#include "backends/kerberos_context.h"
#include "backends/kerberos_kdcs.h"
#include "backends/kerberos_options.h"
#include "backends/typical_time.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/reporter.h"
#include "base/secret.h"
#include "validator/validator.h"

namespace credcache {

// Those of one realm.
struct KerberosTypicalTimes {
  TypicalTime rejection;  // of a wrong password
  TypicalTime expired;    // the same, where the right one is expired: a question more
};

// Used by one thread at a time; each call blocks, to its deadline at most (and a host name's look-up, and the
// password's way to a key, whose length the KDC names: seconds at most, should a forged one wish so). Errors are
// UNAVAILABLE.
class KerberosWorker {
 public:
  // All must outlive it; `kdcs` and `typical` are shared with the other workers.
  KerberosWorker(const KerberosBackendOptions& options, KerberosKdcs& kdcs, KerberosTypicalTimes& typical, Clock& clock,
                 Reporter& reporter);

  // A KDC cannot tell: the name itself.
  static absl::StatusOr<std::optional<Account>> Resolve(const NameQuery& query);

  struct Question {
    Username name;
    Secret password;  // not empty
    MonotonicTime deadline;
  };
  // An error after which a KDC may have counted a wrong password is told from the others: WithoutRejection.
  absl::StatusOr<Verdict> Validate(const Question& question);

  // Sees whether a KDC that was down is back, if one is due.
  void Rest();

 private:
  // Made at the first question that finds all that they need.
  struct Parts {
    std::unique_ptr<KerberosContext> context;
    KerberosPrincipal service;
    std::unique_ptr<KerberosClient> client;
    KnownKdcs* kdcs = nullptr;
  };

  // How a question went.
  struct Course {
    bool proof_sent = false;
    bool expired = false;
  };

  absl::Status Prepare();
  absl::StatusOr<Verdict> Ask(const Question& question, Course& course);
  // So that no rejection is sooner than another.
  void Wait(Decision decision, const Course& course, MonotonicTime began, MonotonicTime deadline);
  absl::StatusOr<Decision> AskExpired(krb5_principal user, const Question& question, bool* proof_sent);
  absl::Status Trouble(const KdcReply& reply);

  const KerberosBackendOptions& options_;
  KerberosKdcs& kdcs_;
  KerberosTypicalTimes& typical_;
  Clock& clock_;
  Reporter& reporter_;
  std::optional<Parts> parts_;
};

}  // namespace credcache
