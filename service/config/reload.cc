#include "config/reload.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

class Planner {
 public:
  explicit Planner(ReloadPlan& plan) : plan_(plan) {}

  template <typename T>
  void Live(absl::string_view key, const T& running, const T& next) {
    if (!(running == next)) plan_.live.emplace_back(key);
  }

  // Leaves `next` as `running` is.
  template <typename T>
  void Restart(absl::string_view key, const T& running, T& next) {
    if (running == next) return;
    plan_.restart.emplace_back(key);
    next = running;
  }

 private:
  ReloadPlan& plan_;
};

void PlanTls(const std::optional<TlsConfig>& running, std::optional<TlsConfig>& next, Planner& planner) {
  if (running.has_value() != next.has_value()) return planner.Restart("tls", running, next);
  if (!running.has_value()) return;
  if (running->client_ca.empty() != next->client_ca.empty()) {
    planner.Restart("tls.client_ca", running->client_ca, next->client_ca);
  }
  planner.Live("tls", running, next);
}

const RealmConfig* Find(const std::vector<RealmConfig>& realms, absl::string_view name) {
  const auto found =
      std::find_if(realms.begin(), realms.end(), [&](const RealmConfig& realm) { return realm.name == name; });
  return found == realms.end() ? nullptr : &*found;
}

void PlanRealms(const std::vector<RealmConfig>& running, const std::vector<RealmConfig>& next, ReloadPlan& plan) {
  for (const RealmConfig& realm : next) {
    const RealmConfig* before = Find(running, realm.name);
    if (before == nullptr || !(*before == realm)) plan.live.push_back(absl::StrCat("realms.", realm.name));
  }
  for (const RealmConfig& realm : running) {
    if (Find(next, realm.name) == nullptr) plan.live.push_back(absl::StrCat("realms.", realm.name));
  }
}

}  // namespace

ReloadPlan PlanReload(const Config& running, const Config& next) {
  ReloadPlan plan;
  Config config = next;
  Planner planner(plan);
  planner.Restart("listen.grpc", running.listen.grpc, config.listen.grpc);
  planner.Restart("listen.unix", running.listen.unix_sockets, config.listen.unix_sockets);
  planner.Restart("listen.admin", running.listen.admin, config.listen.admin);
  planner.Restart("listen.insecure", running.listen.insecure, config.listen.insecure);
  planner.Restart("listen.max_connection_age", running.listen.max_connection_age, config.listen.max_connection_age);
  planner.Live("listen.max_in_flight", running.listen.max_in_flight, config.listen.max_in_flight);
  PlanTls(running.tls, config.tls, planner);
  if (running.callers.has_value() != config.callers.has_value()) {
    planner.Restart("callers", running.callers, config.callers);
  } else {
    planner.Live("callers", running.callers, config.callers);
  }
  planner.Restart("cache.buckets", running.cache.buckets, config.cache.buckets);
  planner.Restart("cache.max_entries", running.cache.max_entries, config.cache.max_entries);
  planner.Live("cache", running.cache.policy, config.cache.policy);
  planner.Restart("throttle.memory", running.throttle.memory, config.throttle.memory);
  planner.Live("throttle", running.throttle, config.throttle);
  planner.Live("audit", running.audit, config.audit);
  planner.Live("log", running.log, config.log);
  PlanRealms(running.realms, config.realms, plan);
  plan.config = std::make_shared<const Config>(std::move(config));
  return plan;
}

}  // namespace credcache
