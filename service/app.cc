#include "app.h"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "audit/audit_log.h"
#include "audit/log.h"
#include "backends/factory.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/realm_feeds.h"
#include "base/realm_ids.h"
#include "cache/cache.h"
#include "cache/digest.h"
#include "config/load.h"
#include "config/reload.h"
#include "journal/memory_journal.h"
#include "metrics/metrics.h"
#include "rpc/admin_http.h"
#include "rpc/authenticator.h"
#include "rpc/callers.h"
#include "rpc/in_flight.h"
#include "rpc/invalidator.h"
#include "rpc/library_logs.h"
#include "rpc/own_invalidations.h"
#include "rpc/parts.h"
#include "rpc/server.h"
#include "rpc/stream_registry.h"
#include "rpc/tls.h"
#include "validator/accepted_passwords.h"
#include "validator/breaker_validator.h"
#include "validator/budget.h"
#include "validator/budgeted_validator.h"
#include "validator/caching_validator.h"
#include "validator/chain_validator.h"
#include "validator/metered_validator.h"
#include "validator/realms.h"
#include "validator/retiring_validator.h"
#include "validator/shield.h"
#include "validator/shielded_validator.h"
#include "validator/sweeper.h"

namespace credcache {
namespace {

constexpr absl::Duration kDrainLimit = absl::Seconds(20);

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "localhost";
}

// Ten thousand callers are ten thousand descriptors; the default is 1,024 for programs that use select, which we do
// not.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Severity SeverityOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
    case LogLevel::kInfo:
      return Severity::kInfo;
    case LogLevel::kWarning:
      return Severity::kWarning;
    case LogLevel::kError:
      break;
  }
  return Severity::kError;
}

}  // namespace

class App::Impl {
 public:
  Impl(std::string config_path, std::shared_ptr<const Config> config);
  ~Impl();

  absl::Status Start();
  std::string ReadyLine() const;
  void Reload();
  void Stop(absl::string_view reason);

 private:
  enum class State : uint8_t { kStarting, kServing, kStopped };

  // A realm's validators up to the cache. Kept over reloads that do not change them, with their connections.
  struct Chain {
    std::vector<ValidatorConfig> validators;
    bool case_sensitive = false;
    std::shared_ptr<RealmFeeds> feeds;
    std::shared_ptr<Validator> validator;
  };
  using Chains = std::map<std::string, Chain>;

  Chain BuildChain(const RealmConfig& realm);
  std::shared_ptr<const Realms> BuildRealms(const Config& config, Chains& chains);
  absl::Status StartServing();
  std::vector<ReadinessCheck> Readiness() const;
  std::vector<ReadinessCheck> ChecksWhileServing() const;
  // Reload, up to what is logged of it.
  absl::StatusOr<std::vector<std::string>> TryReload();
  void PutInForce(const ReloadPlan& plan);
  void Forget(const std::vector<std::string>& realms);
  void KeepHouse();

  const std::string config_path_;
  std::shared_ptr<const Config> config_;
  const std::string replica_ = HostName();

  // In the order in which they are needed; they end in the opposite one, after the destructor has ended all that calls
  // back.
  SystemClock clock_;
  SystemRandomness randomness_;
  const std::shared_ptr<LogOutput> output_ = LogOutput::StandardError();
  Log log_;
  AuditLog audit_;
  Metrics metrics_{{.version = CREDCACHE_VERSION, .revision = CREDCACHE_REVISION}};
  const Digester digester_{randomness_};
  const std::unique_ptr<Cache> cache_;  // null: off
  Sweeper sweeper_{cache_.get()};       // housekeeping's own
  FlightTable flights_;
  Budget budget_{config_->throttle.memory.accounts, clock_, randomness_};
  AcceptedPasswords accepted_passwords_{config_->cache.max_entries, clock_, randomness_};
  Shield shield_{config_->throttle.memory, clock_, randomness_};
  RealmIds realm_ids_;
  CurrentRealms realms_;
  MemoryJournal journal_;
  Invalidator invalidator_{realms_, journal_, clock_};
  OwnInvalidations own_invalidations_{journal_, metrics_, audit_, clock_};
  Chains chains_;

  CurrentCallers callers_{nullptr};
  Authenticator authenticator_{clock_, metrics_, audit_, log_};
  InFlight in_flight_{config_->listen.max_in_flight};
  StreamRegistry streams_;
  const RpcParts rpc_parts_{
      .clock = clock_,
      .reporter = log_,
      .metrics = metrics_,
      .audit = audit_,
      .realms = realms_,
      .callers = callers_,
      .authenticator = authenticator_,
      .invalidator = invalidator_,
      .cache = cache_.get(),
      .journal = journal_,
      .in_flight = in_flight_,
      .streams = streams_,
      .replica = {.name = replica_, .version = CREDCACHE_VERSION, .started_at = clock_.Now()},
      .stream_limits = {.max_age = config_->listen.max_connection_age},
  };
  std::unique_ptr<ServerTls> tls_;  // null: clear text
  std::unique_ptr<AdminHttp> admin_;
  std::unique_ptr<Server> server_;
  std::atomic<State> state_{State::kStarting};

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Realms whose validators changed at a reload, until nobody uses the set from before it.
  std::vector<std::string> changed_ ABSL_GUARDED_BY(mutex_);
  std::thread housekeeping_;
};

App::Impl::Impl(std::string config_path, std::shared_ptr<const Config> config)
    : config_path_(std::move(config_path)),
      config_(std::move(config)),
      log_({.level = SeverityOf(config_->log.level)}, clock_, output_),
      audit_({.hits = config_->audit.hits}, clock_, output_),
      cache_(config_->cache.buckets == 0
                 ? nullptr
                 : std::make_unique<Cache>(
                       CacheOptions{.buckets = config_->cache.buckets, .max_entries = config_->cache.max_entries},
                       clock_, randomness_)),
      journal_(replica_, InvalidationApplier(cache_.get(), realm_ids_, realms_, &accepted_passwords_)) {}

App::Impl::~Impl() {
  Stop("the program ends");
  server_ = nullptr;
  admin_ = nullptr;
  metrics_.SetSources({});
  // Flights that nobody waits for any more still end, each within its backend's timeout, and what they call is still
  // there.
  chains_.clear();
  realms_.Set(nullptr);
  while (!realms_.Reap()) absl::SleepFor(absl::Milliseconds(1));
  RouteLibraryLogs(nullptr);
}

// --- start

absl::Status App::Impl::Start() {
  RaiseDescriptorLimit();
  RouteLibraryLogs(&log_);
  log_.Report(
      Severity::kInfo, "key_memory",
      absl::StrCat("the digest key is kept in memory of this protection: ", ProtectionName(digester_.protection())));
  realms_.Set(BuildRealms(*config_, chains_));
  metrics_.SetSources({.cache =
                           [this] {
                             const CacheCounts counts = cache_ == nullptr ? CacheCounts() : cache_->Counts();
                             return CacheReading{.entries = counts.entries,
                                                 .negative_entries = counts.negative_entries,
                                                 .bytes = counts.bytes,
                                                 .evictions = counts.evictions};
                           },
                       .journal = [this] { return JournalReading{.revision = journal_.Applied().value()}; }});
  housekeeping_ = std::thread([this] { KeepHouse(); });
  return StartServing();
}

// The validator of a realm, from the inside out; each is a decorator over the same interface.
App::Impl::Chain App::Impl::BuildChain(const RealmConfig& realm) {
  const auto feeds = std::make_shared<RealmFeeds>();
  std::vector<ChainValidator::Link> links;
  std::map<std::string, int> of_kind;
  for (const ValidatorConfig& config : realm.validators) {
    const std::string kind(BackendKind(config));
    const int number = ++of_kind[kind];
    const std::string name = number == 1 ? kind : absl::StrCat(kind, "-", number);
    BackendMetrics& metrics = metrics_.ForBackend(realm.name, name);
    std::unique_ptr<Validator> backend =
        BuildBackend(config, realm,
                     {.clock = clock_,
                      .randomness = randomness_,
                      .reporter = log_,
                      .changes = own_invalidations_.ListenerFor(
                          {.realm = realm.name, .backend = name, .metrics = metrics, .feeds = feeds, .reporter = log_}),
                      .waiting = &metrics.waiting()});
    backend = std::make_unique<MeteredValidator>(std::move(backend), metrics, clock_);
    if (AsksOthers(config)) {
      backend = std::make_unique<BreakerValidator>(
          BreakerOptions{.backend = absl::StrCat(realm.name, "/", name)},
          BreakerValidator::Shared{.metrics = metrics, .clock = clock_, .randomness = randomness_, .reporter = log_},
          std::move(backend));
    }
    links.push_back({.validator = std::move(backend), .continue_on_rejected = config.continue_on_rejected});
  }
  return {.validators = realm.validators,
          .case_sensitive = realm.case_sensitive,
          .feeds = feeds,
          .validator = std::make_shared<ChainValidator>(std::move(links))};  // the first that knows the user decides
}

std::shared_ptr<const Realms> App::Impl::BuildRealms(const Config& config, Chains& chains) {
  Chains next;
  std::vector<Realm> realms;
  size_t default_index = 0;
  for (const RealmConfig& realm : config.realms) {
    Chain& chain = next[realm.name];
    const auto before = chains.find(realm.name);
    if (before != chains.end() && before->second.validators == realm.validators &&
        before->second.case_sensitive == realm.case_sensitive) {
      chain = before->second;
    } else {
      chain = BuildChain(realm);
    }

    const RealmId id = realm_ids_.Intern(realm.name);
    const CaseRule case_rule = realm.case_sensitive ? CaseRule::kSensitive : CaseRule::kFold;
    RealmMetrics& metrics = metrics_.ForRealm(realm.name);
    const bool dry_run = config.throttle.policy.dry_run;
    std::shared_ptr<Validator> validator = std::make_shared<BudgetedValidator>(
        BudgetOptions{.realm = realm.name, .realm_id = id, .policy = realm.budget, .dry_run = dry_run},
        BudgetedValidator::Shared{.budget = budget_, .metrics = metrics, .reporter = log_}, chain.validator);
    if (realm.policy.retire > absl::ZeroDuration()) {
      validator = std::make_shared<RetiringValidator>(
          RetiringOptions{.realm = realm.name,
                          .realm_id = id,
                          .case_rule = case_rule,
                          .keep = realm.policy.age_limit + realm.policy.retire},
          RetiringValidator::Shared{.accepted = accepted_passwords_, .digester = digester_}, std::move(validator));
    }
    auto caching = std::make_unique<CachingValidator>(
        CachingOptions{.realm = realm.name,
                       .realm_id = id,
                       .case_rule = case_rule,
                       .policy = realm.policy,
                       .feeds = chain.feeds,
                       .budget = dry_run ? BudgetPolicy{.rejections = 0} : realm.budget},
        CachingValidator::Shared{.cache = cache_.get(),
                                 .digester = digester_,
                                 .flights = flights_,
                                 .revisions = journal_,
                                 .clock = clock_,
                                 .budget = &budget_},
        metrics, std::move(validator));
    auto shielded = std::make_shared<ShieldedValidator>(
        ShieldOptions{.realm = realm.name,
                      .realm_id = id,
                      .case_rule = case_rule,
                      .cache_policy = realm.policy,
                      .policy = config.throttle.policy},
        ShieldedValidator::Shared{
            .shield = shield_, .cache = cache_.get(), .clock = clock_, .metrics = metrics, .reporter = log_},
        std::move(caching));
    if (realm.is_default) default_index = realms.size();
    realms.push_back({.name = realm.name,
                      .id = id,
                      .aliases = realm.aliases,
                      .case_rule = case_rule,
                      .policy = realm.policy,
                      .validator = std::move(shielded)});
  }
  chains = std::move(next);
  return std::make_shared<const Realms>(std::move(realms), default_index);
}

absl::Status App::Impl::StartServing() {
  absl::StatusOr<std::shared_ptr<const Callers>> callers = Callers::Load(config_->callers);
  if (!callers.ok()) return callers.status();
  callers_.Set(*std::move(callers));
  if (config_->tls.has_value()) {
    absl::StatusOr<std::unique_ptr<ServerTls>> tls =
        ServerTls::Start(*config_->tls, ClientCertificatesFor(*config_), log_);
    if (!tls.ok()) return tls.status();
    tls_ = *std::move(tls);
  }

  absl::StatusOr<std::unique_ptr<AdminHttp>> admin =
      AdminHttp::Start({.address = config_->listen.admin.ToString()},
                       {.metrics = metrics_, .readiness = [this] { return Readiness(); }}, log_);
  if (!admin.ok()) return admin.status();
  admin_ = *std::move(admin);

  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(config_->listen, tls_.get(), rpc_parts_);
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  state_ = State::kServing;
  audit_.Record(StartEvent{.version = CREDCACHE_VERSION,
                           .grpc_address = server_->address().ToString(),
                           .admin_address = admin_->address(),
                           .config_file = config_path_});
  return absl::OkStatus();
}

std::vector<ReadinessCheck> App::Impl::Readiness() const {
  switch (state_.load()) {
    case State::kStarting:
      return {{.name = "grpc", .ready = false, .reason = "starting"}};
    case State::kServing:
      return ChecksWhileServing();
    case State::kStopped:
      break;
  }
  return {{.name = "grpc", .ready = false, .reason = "draining"}};
}

// A feed that is down costs freshness, not service.
std::vector<ReadinessCheck> App::Impl::ChecksWhileServing() const {
  std::vector<ReadinessCheck> checks = {{.name = "grpc"}};
  for (const Metrics::Backend& backend : metrics_.Backends()) {
    if (backend.reading.feed == FeedState::kNone) continue;
    checks.push_back({.name = absl::StrCat("feed ", backend.realm, "/", backend.backend),
                      .ready = backend.reading.feed == FeedState::kUp,
                      .reason = "down: changes in the directory are not heard of, feed_down_age_limit holds",
                      .required = false});
  }
  return checks;
}

std::string App::Impl::ReadyLine() const {
  return absl::StrCat("credcached ready grpc=", server_->address().ToString(), " admin=", admin_->address());
}

void App::Impl::Stop(absl::string_view reason) {
  if (state_.exchange(State::kStopped) == State::kServing) {
    server_->Drain(kDrainLimit);
    audit_.Record(StopEvent{.reason = reason});
  }
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (housekeeping_.joinable()) housekeeping_.join();
}

// --- reload

void App::Impl::Reload() {
  ReloadEvent event{.config_file = config_path_};
  absl::StatusOr<std::vector<std::string>> needs_restart = TryReload();
  event.applied = needs_restart.ok();
  if (needs_restart.ok()) {
    event.needs_restart = *std::move(needs_restart);
  } else {
    event.errors = absl::StrSplit(needs_restart.status().message(), '\n');
  }
  audit_.Record(event);
}

absl::StatusOr<std::vector<std::string>> App::Impl::TryReload() {
  const absl::StatusOr<std::shared_ptr<const Config>> next = LoadConfig(config_path_);
  if (!next.ok()) return next.status();
  const ReloadPlan plan = PlanReload(*config_, **next);
  // All that can fail comes before the first thing that changes.
  absl::StatusOr<std::shared_ptr<const Callers>> callers = Callers::Load(plan.config->callers);
  if (!callers.ok()) return callers.status();
  if (tls_ != nullptr) {
    if (absl::Status status = tls_->SetFiles(*plan.config->tls); !status.ok()) return status;
  }
  callers_.Set(*std::move(callers));
  PutInForce(plan);
  return plan.restart;
}

void App::Impl::PutInForce(const ReloadPlan& plan) {
  Chains chains = chains_;
  std::shared_ptr<const Realms> realms = BuildRealms(*plan.config, chains);
  // What another directory said, or a realm that is gone, counts no longer.
  std::vector<std::string> changed;
  for (const auto& [name, chain] : chains_) {
    const auto found = chains.find(name);
    if (found == chains.end() || found->second.validator != chain.validator) changed.push_back(name);
  }
  config_ = plan.config;
  realms_.Set(std::move(realms));
  chains_ = std::move(chains);
  log_.SetLevel(SeverityOf(config_->log.level));
  audit_.SetHits(config_->audit.hits);
  in_flight_.SetLimit(config_->listen.max_in_flight);
  Forget(changed);
  absl::MutexLock lock(&mutex_);
  changed_.insert(changed_.end(), changed.begin(), changed.end());
}

void App::Impl::Forget(const std::vector<std::string>& realms) {
  for (const std::string& realm : realms) {
    own_invalidations_.Realm(realm, InvalidationOrigin::kReload, "its validators changed");
  }
}

// --- housekeeping

void App::Impl::KeepHouse() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), Sweeper::kInterval)) return;
    }
    sweeper_.Tick(*realms_.Get());
    log_.Tick();
    audit_.Tick();
    if (!realms_.Reap()) continue;
    // A request that took hold of the set before a reload may have begun a flight just after it. Now nobody has one.
    std::vector<std::string> changed;
    {
      absl::MutexLock lock(&mutex_);
      changed.swap(changed_);
    }
    Forget(changed);
  }
}

std::optional<int> App::RunHelper(int argc, char** argv) { return RunBackendHelper(argc, argv); }

absl::StatusOr<std::unique_ptr<App>> App::Start(std::string config_path, std::shared_ptr<const Config> config) {
  auto impl = std::make_unique<Impl>(std::move(config_path), std::move(config));
  if (absl::Status status = impl->Start(); !status.ok()) return status;
  return std::unique_ptr<App>(new App(std::move(impl)));
}

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

App::~App() = default;

std::string App::ReadyLine() const { return impl_->ReadyLine(); }

void App::Reload() { impl_->Reload(); }

void App::Stop(absl::string_view reason) { impl_->Stop(reason); }

}  // namespace credcache
