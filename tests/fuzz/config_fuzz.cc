// Any bytes as a configuration: a Config whose promises hold, or mistakes of one line each; never a crash or a hang.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "config/load.h"
#include "config/reload.h"

namespace credcache {
namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckMistakes(absl::string_view message) {
  Check(!message.empty());
  for (const absl::string_view line : absl::StrSplit(message, '\n')) {
    Check(line.substr(0, 7) == "f.yaml:");
    for (const char c : line) Check(static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
  }
}

void CheckPromises(const Config& config) {
  Check(!config.realms.empty());
  Check(config.DefaultRealm().is_default);
  for (const RealmConfig& realm : config.realms) {
    Check(!realm.validators.empty());
    Check(realm.policy.idle_limit <= realm.policy.age_limit);
    Check(realm.policy.negative_longest <= absl::Minutes(5));
  }
  const bool is_guarded = config.tls.has_value() && config.callers.has_value();
  Check(config.listen.insecure || config.listen.grpc.IsLoopback() || is_guarded);
  const ReloadPlan plan = PlanReload(config, config);
  Check(plan.live.empty() && plan.restart.empty() && *plan.config == config);
}

}  // namespace
}  // namespace credcache

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = credcache::ParseConfig(text, "f.yaml", "/etc");
  if (config.ok()) {
    credcache::CheckPromises(**config);
  } else {
    credcache::CheckMistakes(config.status().message());
  }
  return 0;
}
