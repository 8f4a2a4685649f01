#include "config/validate.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

static_assert(static_cast<int>(LogLevel::kDebug) == config::v1::LOG_LEVEL_DEBUG - 1);
static_assert(static_cast<int>(LogLevel::kError) == config::v1::LOG_LEVEL_ERROR - 1);

// Passwords must not cross a network in the clear, nor anybody with a network ask for verdicts, unless somebody says
// that it is meant.
void CheckExposure(const Config& config, Checks& checks) {
  ConfigSource& source = checks.source();
  if (config.listen.insecure || config.listen.grpc.IsLoopback() ||
      (config.tls.has_value() && config.callers.has_value())) {
    return;
  }
  if (source.IsBad("tls") || source.IsBad("callers") || source.IsBad("listen.insecure") || source.IsBad("listen.grpc"))
    return;
  source.Fail("listen.grpc", "a loopback address, or both tls and callers, or insecure: true");
}

// Who comes by a socket must be somebody.
void CheckSocketCallers(const Config& config, Checks& checks) {
  if (!config.callers.has_value()) return;
  for (size_t i = 0; i < config.listen.unix_sockets.size(); ++i) {
    const std::string& name = config.listen.unix_sockets[i].caller;
    const auto is_named = [&](const CallerConfig& caller) { return caller.name == name; };
    if (name.empty() || std::any_of(config.callers->begin(), config.callers->end(), is_named)) continue;
    checks.source().Fail(Child(Item("listen.unix", static_cast<int>(i)), "caller"), "the name of one of the callers");
  }
}

void CheckCallerRealms(const Config& config, Checks& checks) {
  if (!config.callers.has_value()) return;
  for (size_t i = 0; i < config.callers->size(); ++i) {
    const CallerConfig& caller = (*config.callers)[i];
    if (!caller.realms.has_value()) continue;
    for (size_t j = 0; j < caller.realms->size(); ++j) {
      const auto is_named = [&](const RealmConfig& realm) { return realm.name == (*caller.realms)[j]; };
      if (std::any_of(config.realms.begin(), config.realms.end(), is_named)) continue;
      const std::string list = Child(Item("callers", static_cast<int>(i)), "realms");
      checks.source().Fail(Item(list, static_cast<int>(j)), "the name of one of the realms, as it is written there");
    }
  }
}

}  // namespace

Config Validate(const config::v1::Config& written, Checks& checks) {
  Config config;
  config.listen = ValidateListen(written.listen(), checks);
  if (written.has_tls()) config.tls = ValidateTls(written.tls(), checks);
  if (checks.source().Has("callers")) config.callers = ValidateCallers(written, checks);
  config.cache = ValidateCache(written.cache(), checks);
  config.throttle = ValidateThrottle(written.throttle(), checks);
  config.audit.hits = written.audit().hits();
  if (written.log().has_level()) config.log.level = static_cast<LogLevel>(written.log().level() - 1);
  config.realms = ValidateRealms(written, {.policy = config.cache.policy, .budget = config.throttle.budget}, checks);
  CheckExposure(config, checks);
  CheckSocketCallers(config, checks);
  CheckCallerRealms(config, checks);
  return config;
}

}  // namespace credcache
