// A hit allocates nothing. In a program of its own, since it replaces operator new.
#include <gtest/gtest.h>

#include "base/counted_allocations.h"
#include "cache/cache.h"
#include "cache/cache_fixture.h"

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
