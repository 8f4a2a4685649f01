// Refuses a password that has been changed, even where the directory goes on taking it: see accepted_passwords.h.
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "base/names.h"
#include "cache/digest.h"
#include "validator/accepted_passwords.h"
#include "validator/validator.h"

namespace credcache {

struct RetiringOptions {
  std::string realm;
  RealmId realm_id{};
  CaseRule case_rule = CaseRule::kFold;
  absl::Duration keep;  // for so long what was accepted is remembered: an entry's age, and `retire`
};

// Thread-safe. What is refused is a wrong password. An acceptance without a stamp (Verdict::password_stamp) stands,
// since nothing tells whether it is an old one; backends that should tell one report that they cannot.
class RetiringValidator final : public Validator {
 public:
  // All outlive it, but `inner`, which is shared with those from before a reload.
  struct Shared {
    AcceptedPasswords& accepted;
    const Digester& digester;
  };
  RetiringValidator(RetiringOptions options, const Shared& shared, std::shared_ptr<Validator> inner);

  void Resolve(const NameQuery& query, ResolveDone done) override;
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  // Whether the password that the directory has accepted is the account's.
  bool IsCurrent(const Verdict& verdict, const Username& asked, SecretView password);

  const RetiringOptions options_;
  const Shared shared_;
  const std::shared_ptr<Validator> inner_;
};

}  // namespace credcache
