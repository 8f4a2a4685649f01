// Invalidate against flights and look-ups, on eight threads.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/fake_clock.h"
#include "cache/cache.h"
#include "cache/digest.h"
#include "cache/fake_randomness.h"

namespace credcache {
namespace {

constexpr int64_t kTrials = 1'000'000;
constexpr int kAccounts = 16;      // few, so that threads meet
constexpr int kFlightsAtOnce = 8;  // of a thread: so long lasts a flight, and an Invalidate falls into half of them
constexpr RealmId kRealm{0};

struct Person {
  Username name;
  Username alias;
  Digest digest;
  // The revision of the last Forget of this account that has returned.
  std::atomic<uint64_t> forgotten{0};
};

struct Flight {
  Person* person = nullptr;
  bool by_alias = false;
  Revision revision;
  MonotonicTime began;
};

// Keeps trials and fills going side by side, however the threads are scheduled: else, on few processors, thousands of
// the one would pass between two of the other, and meet nothing.
class Pace {
 public:
  // False: it was the last.
  bool BeginTrial() {
    const int64_t number = trials_.fetch_add(1, std::memory_order_relaxed);
    while (fills_.load(std::memory_order_relaxed) + kLead < 2 * number && !Over()) std::this_thread::yield();
    return number < kTrials;
  }
  bool BeginFill() {
    while (fills_.load(std::memory_order_relaxed) > 2 * trials_.load(std::memory_order_relaxed) + kLead && !Over()) {
      std::this_thread::yield();
    }
    fills_.fetch_add(1, std::memory_order_relaxed);
    return !Over();
  }
  bool Over() const { return trials_.load(std::memory_order_relaxed) >= kTrials; }

 private:
  static constexpr int64_t kLead = 32;  // by how many fills either may be ahead of two fills a trial

  std::atomic<int64_t> trials_{0};
  std::atomic<int64_t> fills_{0};
};

class RaceWorld {
 public:
  RaceWorld() {
    for (int i = 0; i < kAccounts; ++i) {
      Person& person = people[static_cast<size_t>(i)];
      person.name = *Username::Normalize(absl::StrCat("person", i), CaseRule::kFold);
      person.alias = *Username::Normalize(absl::StrCat("alias", i), CaseRule::kFold);
      person.digest = digester.Compute("realm", person.name.view(), SecretView("s3cret"));
    }
  }

  // As a log-on does, without a lock at first.
  Finding Find(Person& person) {
    const auto digest_of = [&person](const Username&) { return person.digest; };
    return cache.LookUp({kRealm, person.name}, digest_of, policy, std::nullopt, clock.Monotonic()).finding;
  }

  // Looks; counts it if it is answered from what was forgotten before.
  void Look(Person& person) {
    const uint64_t forgotten = person.forgotten.load(std::memory_order_acquire);
    const Finding finding = Find(person);
    if (finding.kind != Finding::Kind::kAccepted) return;
    hits.fetch_add(1, std::memory_order_relaxed);
    if (finding.revision.value() < forgotten) violations.fetch_add(1, std::memory_order_relaxed);
  }

  // As MemoryJournal does: in the order of revisions, one at a time, and published once applied.
  void Forget(Person& person, const Username& name) {
    absl::MutexLock lock(&journal);
    const uint64_t revision = applied.load(std::memory_order_relaxed) + 1;
    removed += cache.Forget({kRealm, name}, Revision(revision), policy);
    person.forgotten.store(revision, std::memory_order_release);
    applied.store(revision, std::memory_order_release);
  }

  Flight Begin(Person& person, bool by_alias) {
    return {.person = &person,
            .by_alias = by_alias,
            .revision = Revision(applied.load(std::memory_order_acquire)),
            .began = clock.Monotonic()};
  }
  void End(const Flight& flight) {
    const Person& person = *flight.person;
    const FillOutcome outcome = cache.Fill({.asked = flight.by_alias ? person.alias : person.name,
                                            .account = {kRealm, person.name},
                                            .digest = person.digest,
                                            .verdict = FillRequest::Verdict::kAccepted,
                                            .identity = Identity(person.name.view(), "subject"),
                                            .validated_at = flight.began,
                                            .revision = flight.revision},
                                           policy);
    (outcome == FillOutcome::kFilled ? filled : fenced).fetch_add(1, std::memory_order_relaxed);
  }

  // What shows that the threads met at all.
  void ExpectThatTheyMet() const {
    std::printf("hits %lld, filled %lld, fenced %lld, removed %lld\n", static_cast<long long>(hits.load()),
                static_cast<long long>(filled.load()), static_cast<long long>(fenced.load()),
                static_cast<long long>(removed));
    EXPECT_GT(hits.load(), kTrials / 100);
    EXPECT_GT(filled.load(), kTrials / 100);
    EXPECT_GT(fenced.load(), kTrials / 100);
    EXPECT_GT(removed, kTrials / 100);
  }

  Pace pace;
  FakeClock clock;
  SeededRandomness randomness{1};
  Digester digester{randomness};
  // Without quarantine, which would keep acceptances out and hide what the fences do.
  const CachePolicy policy{.quarantine = absl::ZeroDuration()};
  Cache cache{{.buckets = 3, .max_entries = 1000}, clock, randomness};
  std::array<Person, kAccounts> people;
  absl::Mutex journal;
  std::atomic<uint64_t> applied{0};
  int64_t removed = 0;  // under `journal`
  std::atomic<int64_t> violations{0};
  std::atomic<int64_t> hits{0};
  std::atomic<int64_t> filled{0};
  std::atomic<int64_t> fenced{0};
};

enum class By : uint8_t { kName, kAlias, kEither };

// A trial: forgets somebody, and looks at once.
void Invalidate(RaceWorld& world, By by, uint32_t seed) {
  std::minstd_rand random(seed);
  while (world.pace.BeginTrial()) {
    Person& person = world.people[random() % kAccounts];
    world.Forget(person, by == By::kAlias ? person.alias : person.name);
    world.Look(person);
  }
}

// Flights that overlap each other and Invalidates.
void Fly(RaceWorld& world, By by, uint32_t seed) {
  std::minstd_rand random(seed);
  std::array<Flight, kFlightsAtOnce> flights;
  for (size_t i = 0; world.pace.BeginFill(); i = (i + 1) % flights.size()) {
    if (flights[i].person != nullptr) world.End(flights[i]);
    flights[i] = world.Begin(world.people[random() % kAccounts], by == By::kAlias || random() % 2 == 0);
  }
}

void Look(RaceWorld& world, uint32_t seed) {
  std::minstd_rand random(seed);
  while (!world.pace.Over()) {
    world.Look(world.people[random() % kAccounts]);
    if (random() % 8 == 0) std::this_thread::yield();
  }
}

// Eight threads.
void Race(RaceWorld& world, By forgotten_by, By asked_by) {
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 2; ++i) threads.emplace_back(Invalidate, std::ref(world), forgotten_by, i + 1);
  for (uint32_t i = 0; i < 4; ++i) threads.emplace_back(Fly, std::ref(world), asked_by, i + 11);
  for (uint32_t i = 0; i < 2; ++i) threads.emplace_back(Look, std::ref(world), i + 21);
  for (std::thread& thread : threads) thread.join();
}

TEST(CacheRaceTest, NoFindThatStartsAfterForgetHasReturnedIsAnsweredFromBefore) {
  RaceWorld world;
  Race(world, By::kName, By::kEither);
  EXPECT_EQ(world.violations.load(), 0);
  world.ExpectThatTheyMet();
}

// Every fill comes by the alias, so each that got in is in the index, and forgetting by the alias must reach it, though
// the two names lie in different buckets.
TEST(CacheRaceTest, ForgettingByAnotherNameLeavesNoGap) {
  RaceWorld world;
  Race(world, By::kAlias, By::kAlias);
  EXPECT_EQ(world.violations.load(), 0);
  world.ExpectThatTheyMet();
}

}  // namespace
}  // namespace credcache
