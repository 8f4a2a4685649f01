// The cache against the reference model: a million random operations.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/fake_clock.h"
#include "cache/cache.h"
#include "cache/digest.h"
#include "cache/fake_randomness.h"
#include "cache/reference_model.h"

namespace credcache {
namespace {

using Kind = Finding::Kind;
using Verdict = FillRequest::Verdict;
using Model = ReferenceModel;

constexpr int kOperations = 1'000'000;
constexpr int kOperationsPerCache = 20'000;  // then a new cache, with new policies

// CREDCACHE_SEED repeats a run.
uint64_t Seed() {
  uint64_t seed = 0;
  if (const char* given = std::getenv("CREDCACHE_SEED"); given == nullptr || !absl::SimpleAtoi(given, &seed)) {
    seed = std::random_device()();
  }
  std::printf("CREDCACHE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  testing::Test::RecordProperty("seed", absl::StrCat(seed));
  return seed;
}

class Random {
 public:
  explicit Random(uint64_t seed) : generator_(seed) {}
  int Below(int bound) { return static_cast<int>(generator_() % static_cast<uint64_t>(bound)); }
  bool OneIn(int n) { return Below(n) == 0; }
  template <typename T>
  const T& Of(const std::vector<T>& choices) {
    return choices[static_cast<size_t>(Below(static_cast<int>(choices.size())))];
  }
  uint64_t Next() { return generator_(); }

 private:
  std::mt19937_64 generator_;
};

// Short limits, so that all of them pass often; from seconds to minutes of the clock below.
CachePolicy RandomPolicy(Random& random) {
  const absl::Duration first = absl::Seconds(random.Of<int>({1, 5, 30}));
  return {.age_limit = absl::Seconds(random.Of<int>({20, 120, 600})),
          .idle_limit = absl::Seconds(random.Of<int>({10, 60, 900})),
          .negative_first = first,
          .negative_longest = random.OneIn(5) ? absl::ZeroDuration() : first * random.Of<int>({1, 3, 8, 60}),
          .refresh_ahead = !random.OneIn(4),
          .stale_grace = absl::Seconds(random.Of<int>({0, 0, 30, 300})),
          .quarantine = absl::Seconds(random.Of<int>({0, 1, 5})),
          .supersede = !random.OneIn(3)};
}

// One cache and one model, with everything that happens to both.
class World {
 public:
  World(CacheOptions options, uint64_t seed)
      : random_(seed), randomness_(seed), digester_(randomness_), cache_(options, clock_, randomness_) {
    for (int realm = 0; realm < 3; ++realm) policies_.push_back(RandomPolicy(random_));
    for (const CachePolicy& policy : policies_) policy_pointers_.push_back(&policy);
    for (int i = 0; i < 10; ++i) {
      names_.push_back(*Username::Normalize(absl::StrCat("name", i), CaseRule::kFold));
    }
  }

  // Whatever both must agree on is compared exactly: nothing is evicted.
  void StepAgainstModel() {
    Tick();
    struct Operation {
      int weight;
      void (World::*run)();
    };
    static constexpr Operation kOperationsByWeight[] = {{24, &World::Find},
                                                        {5, &World::FindStale},
                                                        {20, &World::BeginFlight},
                                                        {20, &World::EndFlight},
                                                        {3, &World::FindCanonicalName},
                                                        {20, &World::LookUp},
                                                        {3, &World::AskIfFenced},
                                                        {1, &World::Forget},
                                                        {1, &World::ForgetMuch},
                                                        {1, &World::Sweep},
                                                        {1, &World::CompareCounts},
                                                        {1, &World::ChangePolicy}};
    int draw = random_.Below(100);
    for (const Operation& operation : kOperationsByWeight) {
      draw -= operation.weight;
      if (draw < 0) return (this->*operation.run)();
    }
  }

  // Where the cache evicts: see CheckPossible.
  void StepWithinBounds(int64_t max_entries) {
    exact_ = false;
    StepAgainstModel();
    const CacheCounts counts = cache_.Counts();
    ASSERT_LE(counts.entries + counts.negative_entries, max_entries);
    ASSERT_LE(counts.negative_entries, max_entries / 8);
  }

  int64_t evictions() const { return cache_.Counts().evictions; }
  // How often each answer came, to see that the test tests something.
  const std::map<std::string, int64_t>& tally() const { return tally_; }

 private:
  static Model::Name NameOf(RealmId realm, const Username& name) { return {realm, std::string(name.view())}; }
  const CachePolicy& PolicyOf(RealmId realm) const { return policies_[static_cast<size_t>(realm)]; }
  RealmId RandomRealm() { return RealmId{static_cast<uint16_t>(random_.Of<int>({0, 0, 0, 1, 2}))}; }
  // The first ones come most.
  int Skewed(int bound) { return random_.Below(1 + random_.Below(1 + random_.Below(bound))); }
  const Username& RandomName() { return names_[static_cast<size_t>(Skewed(static_cast<int>(names_.size())))]; }
  // More than an account may have.
  std::string RandomPassword() { return absl::StrCat("password", random_.OneIn(4) ? random_.Below(12) : Skewed(4)); }
  std::optional<absl::Duration> RandomMaxAge() {
    return random_.OneIn(8) ? std::optional(absl::Seconds(random_.Of<int>({0, 1, 15, 100}))) : std::nullopt;
  }
  Digest DigestOf(const Model::Name& account, const std::string& password) const {
    return digester_.Compute(absl::StrCat(static_cast<int>(account.realm)), account.name, SecretView(password));
  }
  MonotonicTime Now() const { return clock_.Monotonic(); }
  Revision NextRevision() const { return Revision(applied_.value() + 1); }

  // No two operations at one time: which of two entries is the less recently used is then never a matter of taste. In
  // whole milliseconds, which is how finely the cache knows when an entry was used.
  void Tick() { clock_.Advance(absl::Milliseconds(1 + random_.Below(random_.OneIn(50) ? 10'000 : 200))); }

  void Compare(const Finding& finding, const Model::Answer& answer, const Model::Name& account,
               const std::string& password) {
    ++tally_[absl::StrCat("kind ", static_cast<int>(answer.kind), " ",
                          answer.kind == Kind::kMiss ? Name(answer.reason) : "")];
    if (!exact_) return CheckPossible(finding, account, password);
    ASSERT_EQ(finding.kind, answer.kind);
    if (answer.kind == Kind::kMiss) {
      ASSERT_EQ(Name(finding.reason), Name(answer.reason));
      return;
    }
    ASSERT_EQ(finding.validated_at, answer.validated_at);
    ASSERT_EQ(finding.expires_at, answer.expires_at);
    ASSERT_EQ(finding.revision, answer.revision);
    ASSERT_EQ(finding.identity.subject(), answer.subject);
    ASSERT_EQ(finding.identity.username(), answer.kind == Kind::kAccepted ? account.name : "");
    if (finding.refresh_due) {
      ++tally_["refresh due"];
      ASSERT_TRUE(answer.may_ask_for_refresh);
      model_.RefreshAsked(account, password);
    }
  }

  // Where entries are evicted, what an answer must be is not known; but it must be the last that was filled for that
  // credential, with nothing known against it since, not forgotten, and young enough.
  void CheckPossible(const Finding& finding, const Model::Name& account, const std::string& password) {
    if (finding.kind == Kind::kMiss) return;
    const auto fill = fills_.find({account, password});
    ASSERT_NE(fill, fills_.end()) << "nobody validated that, or it was overruled or forgotten since";
    const Model::Flight& flight = fill->second;
    ASSERT_EQ(finding.validated_at, flight.validated_at);
    ASSERT_EQ(finding.revision, flight.revision);
    ASSERT_EQ(finding.kind == Kind::kAccepted, flight.verdict == Verdict::kAccepted);
    ASSERT_EQ(finding.identity.subject(), finding.kind == Kind::kAccepted ? flight.subject : "");
    const CachePolicy& policy = PolicyOf(account.realm);
    ASSERT_LT(Now() - flight.validated_at,
              finding.kind == Kind::kAccepted ? policy.age_limit + policy.stale_grace : policy.negative_longest);
  }

  void NoteFill(const Model::Flight& flight, FillOutcome outcome) {
    const Model::Credential credential = {flight.account, flight.password};
    const bool accepted = flight.verdict == Verdict::kAccepted;
    switch (outcome) {
      case FillOutcome::kFilled:
        if (accepted && PolicyOf(flight.account.realm).supersede) {
          std::erase_if(fills_, [&](const auto& fill) {
            return fill.first.first == flight.account && fill.second.verdict == Verdict::kAccepted;
          });
        }
        fills_[credential] = flight;
        break;
      case FillOutcome::kNotKept:
        if (!accepted) fills_.erase(credential);
        break;
      case FillOutcome::kQuarantined:
        std::erase_if(fills_, [&](const auto& fill) {
          return fill.first == credential && fill.second.verdict == Verdict::kRejected;
        });
        break;
      case FillOutcome::kFenced:
      case FillOutcome::kOutdated:
        break;
    }
  }
  template <typename Covered>
  void NoteForgotten(const Covered& covered) {
    std::erase_if(fills_, [&](const auto& fill) { return covered(fill.first.first); });
  }

  void Find() {
    const RealmId realm = RandomRealm();
    const Username& name = RandomName();
    const Model::Name account = NameOf(realm, name);
    const std::string password = RandomPassword();
    const auto max_age = RandomMaxAge();
    const Finding finding = cache_.Find({realm, name}, DigestOf(account, password), PolicyOf(realm), max_age);
    Compare(finding, model_.Find(account, password, PolicyOf(realm), max_age, Now()), account, password);
    // What asks for a refresh gets one, mostly.
    if (finding.refresh_due && !random_.OneIn(4)) AddFlight(realm, name, name, password, true);
  }

  // The account that the name stands for, and of that what Find says.
  void LookUp() {
    const RealmId realm = RandomRealm();
    const Username& name = RandomName();
    const std::string password = RandomPassword();
    const auto max_age = RandomMaxAge();
    Model::Name account;
    const auto digest_of = [&](const Username& known_as) {
      account = NameOf(realm, known_as);
      return DigestOf(account, password);
    };
    AccountKey key{realm, name};
    if (random_.OneIn(2)) key.hash = cache_.Locate(key);
    const auto looked_up = cache_.LookUp(key, digest_of, PolicyOf(realm), max_age, Now());
    const auto expected = model_.FindCanonicalName(NameOf(realm, name), PolicyOf(realm), Now());
    const auto& known_as = looked_up.known_as;
    if (exact_) {
      ASSERT_EQ(known_as.has_value() ? std::optional(std::string(known_as->view())) : std::nullopt, expected);
    }
    ASSERT_EQ(account, NameOf(realm, known_as.value_or(name)));
    ASSERT_TRUE(looked_up.digest == DigestOf(account, password));
    Compare(looked_up.finding, model_.Find(account, password, PolicyOf(realm), max_age, Now()), account, password);
  }

  void FindStale() {
    const RealmId realm = RandomRealm();
    const Username& name = RandomName();
    const Model::Name account = NameOf(realm, name);
    const std::string password = RandomPassword();
    const auto max_age = RandomMaxAge();
    const Model::Answer answer = model_.FindStale(account, password, PolicyOf(realm), max_age, Now());
    if (answer.kind == Kind::kAccepted) ++tally_["stale"];
    Compare(cache_.FindStale({realm, name}, DigestOf(account, password), PolicyOf(realm), max_age), answer, account,
            password);
  }

  void AddFlight(RealmId realm, const Username& asked, const Username& account, const std::string& password,
                 bool refresh) {
    flights_.push_back(
        {.asked = asked,
         .account = account,
         .flight = {.asked = NameOf(realm, asked),
                    .account = NameOf(realm, account),
                    .password = password,
                    .verdict = random_.Of<Verdict>({Verdict::kAccepted, Verdict::kAccepted, Verdict::kAccepted,
                                                    Verdict::kRejected, Verdict::kRejected, Verdict::kNotCachable}),
                    .subject = absl::StrCat("subject", ++subjects_),
                    .validated_at = Now(),
                    .revision = applied_,
                    .refresh = refresh}});
  }

  // A third of the names are asked for under another one; now and then a name stands for another account than before.
  void BeginFlight() {
    const Username& account = RandomName();
    const Username& asked = random_.OneIn(3) ? RandomName() : account;
    AddFlight(RandomRealm(), asked, account, RandomPassword(), random_.OneIn(10));
  }

  // Flights end in any order, within a minute, as they do (kMaxFlightDuration): much older ones may meet a fence that
  // has given way to its bucket's floor, which the model does not know.
  void EndFlight() {
    while (!flights_.empty() && Now() - flights_.front().flight.validated_at > kMaxFlightDuration) {
      flights_.pop_front();
    }
    if (flights_.empty()) return;
    const auto ended = flights_.begin() + random_.Below(static_cast<int>(flights_.size()));
    const PendingFlight pending = *ended;
    flights_.erase(ended);
    const Model::Flight& flight = pending.flight;
    const Digest digest = DigestOf(flight.account, flight.password);
    const Identity identity =
        flight.verdict == Verdict::kAccepted ? Identity(flight.account.name, flight.subject) : Identity();
    const CachePolicy& policy = PolicyOf(flight.account.realm);
    const FillOutcome outcome = cache_.Fill({.asked = pending.asked,
                                             .account = {flight.account.realm, pending.account},
                                             .digest = digest,
                                             .verdict = flight.verdict,
                                             .identity = identity,
                                             .validated_at = flight.validated_at,
                                             .revision = flight.revision,
                                             .refresh = flight.refresh},
                                            policy);
    const FillOutcome expected = model_.Fill(flight, policy, Now());
    ++tally_[absl::StrCat("fill ", static_cast<int>(expected))];
    if (exact_) {
      ASSERT_EQ(outcome, expected);
    } else {
      NoteFill(flight, outcome);
    }
  }

  void FindCanonicalName() {
    const RealmId realm = RandomRealm();
    const Username& name = RandomName();
    const auto found = cache_.FindCanonicalName({realm, name}, PolicyOf(realm), Now());
    const auto expected = model_.FindCanonicalName(NameOf(realm, name), PolicyOf(realm), Now());
    if (!exact_) return;
    ++tally_[expected.has_value() ? "alias known" : "alias not known"];
    ASSERT_EQ(found.has_value() ? std::optional(std::string(found->view())) : std::nullopt, expected);
  }

  void AskIfFenced() {
    // Where other names are evicted too, forgetting fences fewer of them.
    if (flights_.empty() || !exact_) return;
    const PendingFlight& pending = flights_.back();
    const bool fenced = model_.IsFenced(pending.flight);
    ++tally_[fenced ? "fenced" : "not fenced"];
    ASSERT_EQ(cache_.IsFenced(pending.asked, {pending.flight.account.realm, pending.account}, pending.flight.revision),
              fenced);
  }

  void Forget() {
    const RealmId realm = RandomRealm();
    const Username& name = RandomName();
    const Model::Name account = NameOf(realm, name);
    const auto canonical = cache_.FindCanonicalName({realm, name}, PolicyOf(realm), Now());
    const int64_t removed = cache_.Forget({realm, name}, NextRevision(), PolicyOf(realm));
    const int64_t expected = model_.Forget(account, NextRevision(), PolicyOf(realm), Now());
    applied_ = NextRevision();
    ++tally_[expected > 0 ? "forgot some" : "forgot none"];
    ASSERT_TRUE(removed == expected || !exact_) << removed << " instead of " << expected;
    NoteForgotten([&](const Model::Name& other) {
      return other == account || (canonical.has_value() && other == NameOf(realm, *canonical));
    });
  }

  void ForgetMuch() {
    if (!random_.OneIn(10)) return;
    const RealmId realm = RandomRealm();
    const Revision revision = NextRevision();
    switch (random_.Below(3)) {
      case 0:
        cache_.FenceRealm(realm, revision);
        model_.FenceRealm(realm, revision);
        break;
      case 1: {
        const int64_t removed = cache_.ForgetRealm(realm, revision);
        const int64_t expected = model_.ForgetRealm(realm, revision);
        NoteForgotten([&](const Model::Name& account) { return account.realm == realm; });
        ASSERT_TRUE(removed == expected || !exact_) << removed << " instead of " << expected;
        break;
      }
      case 2: {
        const int64_t removed = cache_.ForgetAll(revision);
        const int64_t expected = model_.ForgetAll(revision);
        fills_.clear();
        ASSERT_TRUE(removed == expected || !exact_) << removed << " instead of " << expected;
        break;
      }
    }
    applied_ = revision;
  }

  void Sweep() {
    for (int i = 0; i < cache_.buckets(); ++i) cache_.Sweep(i, policy_pointers_);
    model_.Sweep(policies_, Now());
    CompareCounts();
  }

  void CompareCounts() {
    if (!exact_) return;
    const CacheCounts counts = cache_.Counts();
    ASSERT_EQ(counts.entries, model_.entries());
    ASSERT_EQ(counts.negative_entries, model_.negative_entries());
    ASSERT_EQ(counts.evictions, 0);
  }

  // As a reload of the configuration does.
  void ChangePolicy() {
    if (random_.OneIn(50)) policies_[static_cast<size_t>(RandomRealm())] = RandomPolicy(random_);
  }

  struct PendingFlight {
    Username asked;
    Username account;
    Model::Flight flight;
  };

  Random random_;
  SeededRandomness randomness_;
  FakeClock clock_;
  Digester digester_;
  Cache cache_;
  Model model_;
  bool exact_ = true;
  Revision applied_;
  std::vector<CachePolicy> policies_;
  std::vector<const CachePolicy*> policy_pointers_;
  std::vector<Username> names_;
  std::deque<PendingFlight> flights_;
  int subjects_ = 0;
  std::map<Model::Credential, Model::Flight> fills_;  // where it evicts: what may be there
  std::map<std::string, int64_t> tally_;
};

TEST(CachePropertyTest, AgreesWithTheReferenceModelInAMillionOperations) {
  Random seeds(Seed());
  std::map<std::string, int64_t> tally;
  for (int done = 0; done < kOperations;) {
    const uint64_t seed = seeds.Next();
    const auto buckets = static_cast<int>(1 + seed % 5);
    World world({.buckets = buckets, .max_entries = 100'000}, seed);
    for (int i = 0; i < kOperationsPerCache; ++i, ++done) {
      world.StepAgainstModel();
      ASSERT_FALSE(testing::Test::HasFatalFailure()) << "at operation " << done;
    }
    for (const auto& [what, times] : world.tally()) tally[what] += times;
  }
  // A test in which nothing happens shows nothing.
  for (const auto& [what, times] : tally) std::printf("%-24s %lld\n", what.c_str(), static_cast<long long>(times));
  for (const char* what : {"kind 0 ", "kind 1 ", "kind 2 absent", "kind 2 age", "kind 2 idle", "kind 2 digest",
                           "kind 2 quarantine", "kind 2 max_age", "stale", "refresh due", "fill 0", "fill 1", "fill 2",
                           "fill 3", "fill 4", "fenced", "not fenced", "alias known", "forgot some"}) {
    EXPECT_GT(tally[what], 100) << what;
  }
}

TEST(CachePropertyTest, NeverAnswersTheImpossibleWhileItEvicts) {
  Random seeds(Seed());
  int64_t evictions = 0;
  for (int done = 0; done < kOperations / 2;) {
    const uint64_t seed = seeds.Next();
    const auto max_entries = static_cast<int64_t>(8 + seed % 16);
    World world({.buckets = static_cast<int>(1 + seed % 3), .max_entries = max_entries}, seed);
    for (int i = 0; i < kOperationsPerCache; ++i, ++done) {
      world.StepWithinBounds(max_entries);
      ASSERT_FALSE(testing::Test::HasFatalFailure()) << "at operation " << done;
    }
    evictions += world.evictions();
  }
  std::printf("evictions %lld\n", static_cast<long long>(evictions));
  EXPECT_GT(evictions, 10'000);
}

}  // namespace
}  // namespace credcache
