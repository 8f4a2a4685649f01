// A hit allocates nothing. In a program of its own, since it replaces operator new.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "cache/cache.h"
#include "cache/cache_fixture.h"

namespace {

thread_local int64_t allocations = 0;

void* Allocate(size_t size, size_t alignment) {
  ++allocations;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, size) != 0) std::abort();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) { return Allocate(size, static_cast<size_t>(alignment)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/, std::align_val_t /*alignment*/) noexcept { std::free(memory); }

namespace credcache {
namespace {

TEST(CacheAllocationTest, TheCountingWorks) {
  const int64_t before = allocations;
  // NOLINTNEXTLINE(bugprone-unused-return-value)
  ::operator delete(::operator new(1));
  EXPECT_EQ(allocations, before + 1);
}

TEST(CacheAllocationTest, ALookUpAllocatesNothingWhateverItFinds) {
  CacheFixture f;
  f.policy.stale_grace = absl::Hours(1);
  f.AcceptAs("al", "alice", "s3cret");
  f.Reject("alice", "guess");
  const Username alice = f.Name("alice");
  const Username alias = f.Name("al");
  const Username bob = f.Name("bob");
  const auto look = [&](absl::string_view password) {
    // The whole hot path: the other name, the digest, and the look-up.
    const auto canonical = f.cache.FindCanonicalName({f.kRealm, alias}, f.policy, f.clock.Monotonic());
    const Digest digest = f.digester.Compute("corp.example", canonical.value_or(alice).view(), SecretView(password));
    f.cache.Find({f.kRealm, bob}, digest, f.policy, std::nullopt);
    f.cache.FindStale({f.kRealm, alice}, digest, f.policy, std::nullopt);
    return f.cache.Find({f.kRealm, alice}, digest, f.policy, std::nullopt).kind;
  };
  // Under the realm's name that `look` uses.
  const Digest good = f.digester.Compute("corp.example", "alice", SecretView("s3cret"));
  f.cache.Fill({.asked = alias,
                .account = {f.kRealm, alice},
                .digest = good,
                .verdict = FillRequest::Verdict::kAccepted,
                .identity = Identity("alice", "subject", Shared<IdentityDetails>({.groups = {"staff", "mail"}})),
                .validated_at = f.clock.Monotonic(),
                .revision = Revision()},
               f.policy);
  const int64_t before = allocations;
  EXPECT_EQ(look("s3cret"), Finding::Kind::kAccepted);
  EXPECT_EQ(look("another"), Finding::Kind::kMiss);
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace credcache
