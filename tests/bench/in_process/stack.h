// The validators of one realm, as the service stacks them, over whatever backend a benchmark wants.
#pragma once

#include <memory>
#include <optional>

#include "base/ip_address.h"
#include "base/no_reporter.h"
#include "cache/cache.h"
#include "in_process/population.h"
#include "metrics/metrics.h"
#include "validator/caching_validator.h"
#include "validator/flight.h"
#include "validator/realms.h"
#include "validator/shield.h"
#include "validator/validator.h"

namespace credcache::bench {

// Against guessing every log-on of the service passes the shield. The caches that we are compared with have none.
enum class Protection : int64_t { kNone, kShield };

// Thread-safe, as the service is.
class Stack final : private RevisionSource {
 public:
  // `cache` outlives the stack.
  Stack(Cache& cache, const CachePolicy& policy, Protection protection, std::shared_ptr<Validator> backend);

  // A log-on from its name on, all from one address: its realm and form, and then as far as it takes.
  void Validate(absl::string_view username, absl::string_view password, Validator::ValidateDone done) const;

 private:
  Revision Applied() const override { return Revision(); }

  Metrics metrics_{{}};
  FlightTable flights_;
  NoReporter reporter_;
  const std::optional<IpAddress> client_ = IpAddress::Parse("192.0.2.17");
  std::optional<Shield> shield_;
  std::optional<Realms> realms_;
};

}  // namespace credcache::bench
