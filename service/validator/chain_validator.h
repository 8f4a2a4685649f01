// Several validators asked in order: the first that knows the user decides.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "validator/validator.h"

namespace credcache {

// Thread-safe.
class ChainValidator final : public Validator {
 public:
  struct Link {
    std::unique_ptr<Validator> validator;
    // Goes on to the next after a rejection too: for a backend that cannot tell an unknown user from a wrong password.
    bool continue_on_rejected = false;
  };

  // At least one link.
  explicit ChainValidator(std::vector<Link> links);

  // Only an unknown user goes on to the next link; an error ends the search, since what the next one says would then
  // not be what the configuration means.
  void Resolve(const NameQuery& query, ResolveDone done) override;

  // Starts at the link that `log_on.account` came from, or resolves first. A user that no link knows costs a wrong
  // password's work at the last one.
  void Validate(const LogOn& log_on, ValidateDone done) override;

 private:
  struct Attempt;
  void ResolveFrom(size_t link, const NameQuery& query, ResolveDone done);
  void ValidateAt(std::unique_ptr<Attempt> attempt, const Account& account);
  // Looks for a link from `link` on that knows the user, and validates there; where none does, `otherwise` is the
  // answer.
  void ContinueFrom(size_t link, std::unique_ptr<Attempt> attempt, std::optional<Verdict> otherwise);

  const std::vector<Link> links_;
};

}  // namespace credcache
