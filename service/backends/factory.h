// From the configuration to backends: the one place that knows them all.
#pragma once

#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reporter.h"
#include "base/waiting.h"
#include "config/config.h"
#include "validator/validator.h"

namespace credcache {

// What backends are given; all of it must outlive them.
struct BackendParts {
  Clock& clock;
  Randomness& randomness;
  Reporter& reporter;
  std::shared_ptr<ChangeListener> changes;  // hears what the backend's change feed says
  Waiting* waiting = nullptr;               // counts requests that wait for a free connection or worker
};

// The backend that `config` describes, for `realm`. Never fails: what is not there yet (a file, a directory) is
// reported, answered UNAVAILABLE, and looked for again.
std::unique_ptr<Validator> BuildBackend(const ValidatorConfig& config, const RealmConfig& realm,
                                        const BackendParts& parts);

// Its kind, as the configuration and the metrics name it: "file", "ldap", "postgres", "remote", "pam", "kerberos".
absl::string_view BackendKind(const ValidatorConfig& config);

// Whether it asks somebody who may stop answering, so that asking on and on would make its users wait: then it wants a
// circuit breaker. Not so what is read from this machine's files.
bool AsksOthers(const ValidatorConfig& config);

// Some backends do part of their work in processes of their own, which run this same program. For the start of main: if
// that is what the arguments ask for, does it, and returns the program's exit code.
std::optional<int> RunBackendHelper(int argc, char** argv);

}  // namespace credcache
