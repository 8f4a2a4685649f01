// The validators of one realm, as the service stacks them, over whatever backend a benchmark wants.
#pragma once

#include <memory>
#include <optional>

#include "cache/cache.h"
#include "in_process/population.h"
#include "metrics/metrics.h"
#include "validator/caching_validator.h"
#include "validator/flight.h"
#include "validator/realms.h"
#include "validator/validator.h"

namespace credcache::bench {

// Thread-safe, as the service is.
class Stack final : private RevisionSource {
 public:
  // `cache` outlives the stack.
  Stack(Cache& cache, const CachePolicy& policy, std::shared_ptr<Validator> backend);

  // A log-on from its name on: its realm and form, and then as far as it takes.
  void Validate(absl::string_view username, absl::string_view password, Validator::ValidateDone done) const;

 private:
  Revision Applied() const override { return Revision(); }

  Metrics metrics_{{}};
  FlightTable flights_;
  std::optional<Realms> realms_;
};

}  // namespace credcache::bench
