// What entries take, measured at malloc and at the kernel, and the cache's own account of it.
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "base/block_pool.h"
#include "cache/cache.h"
#include "cache/cache_fixture.h"

// Sanitizers replace malloc and its statistics.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CREDCACHE_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CREDCACHE_TEST_SANITIZED 1
#endif
#endif

namespace credcache {
namespace {

using Verdict = FillRequest::Verdict;

constexpr int kUsers = 1'000'000;
constexpr RealmId kRealm{1};

// Bytes in use, by malloc's own statistics (in its arenas and mapped), and in the pool of blocks.
int64_t Allocated() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd) + BlockPool::Global().in_use();
}

// The indices' slots are mapped by the cache itself, all at once: ten bytes for each entry that there may be.
int64_t IndexSize(const CacheOptions& options) { return options.max_entries * 10 + options.buckets * 16; }

int64_t Resident() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0;
  int64_t resident = 0;
  statm >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// A digest of the user's number: HMACs would be a second of the test, and take as much memory.
Digest NumberedDigest(uint64_t number) {
  std::array<uint8_t, Digest::kSize> bytes{};
  for (size_t i = 0; i < bytes.size(); i += sizeof(uint64_t)) {
    const uint64_t part = (number + i) * 0x9e3779b97f4a7c15 ^ number << 32;
    std::memcpy(bytes.data() + i, &part, sizeof(part));
  }
  return Digest(bytes);
}

FillOutcome Fill(CacheFixture& f, int user, Verdict verdict) {
  const Username name = f.Name(absl::StrFormat("user.number.%08d", user));  // 20 bytes
  // As a backend hands it out: each with details of its own.
  const Identity identity(name.view(), absl::StrFormat("0f8fad5b-d9cb-469f-a165-%012d", user),  // 36 bytes
                          Shared<IdentityDetails>({.groups = {"cn=staff,ou=groups,dc=corp,dc=example",
                                                              "cn=mail,ou=groups,dc=corp,dc=example",
                                                              "cn=vpn,ou=groups,dc=corp,dc=example"}}));
  return f.cache.Fill({.asked = name,
                       .account = {kRealm, name},
                       .digest = NumberedDigest(static_cast<uint64_t>(user)),
                       .verdict = verdict,
                       .identity = verdict == Verdict::kAccepted ? identity : Identity(),
                       .validated_at = f.clock.Monotonic(),
                       .revision = Revision()},
                      f.policy);
}

TEST(CacheMemoryTest, AnEntryTakesAtMost192BytesAllToldAtAMillion) {
#ifdef CREDCACHE_TEST_SANITIZED
  GTEST_SKIP() << "sanitizers replace malloc";
#endif
  const int64_t resident_before = Resident();
  const int64_t allocated_before = Allocated();
  const CacheOptions options{.buckets = 256, .max_entries = 2 * kUsers};
  CacheFixture f(options);
  const int64_t allocated_empty = Allocated();
  for (int user = 0; user < kUsers; ++user) ASSERT_EQ(Fill(f, user, Verdict::kAccepted), FillOutcome::kFilled);
  const CacheCounts counts = f.cache.Counts();
  ASSERT_EQ(counts.entries, kUsers);
  const auto allocated = static_cast<double>(Allocated() - allocated_before + IndexSize(options)) / kUsers;
  const auto resident = static_cast<double>(Resident() - resident_before) / kUsers;
  const auto accounted = static_cast<double>(counts.bytes) / kUsers;
  std::printf("bytes an entry: allocated %.1f, resident %.1f, by the cache's account %.1f\n", allocated, resident,
              accounted);
  EXPECT_LE(allocated, 192);
  EXPECT_LE(resident, 192);
  EXPECT_NEAR(accounted, allocated, allocated / 10);

  // It is given back as it was taken.
  f.ForgetAll();
  EXPECT_LT(Allocated() - allocated_empty, kUsers);
  EXPECT_LT(f.cache.Counts().bytes, counts.bytes / 5) << "the indices stay";
}

TEST(CacheMemoryTest, TheAccountIsHonestForEveryKindOfEntry) {
#ifdef CREDCACHE_TEST_SANITIZED
  GTEST_SKIP() << "sanitizers replace malloc";
#endif
  const CacheOptions options{.buckets = 16, .max_entries = 800'000};
  const auto expect_honest = [&](const CacheFixture& f, int64_t before, const char* what) {
    const auto allocated = static_cast<double>(Allocated() - before + IndexSize(options));
    EXPECT_NEAR(static_cast<double>(f.cache.Counts().bytes), allocated, allocated / 10) << what;
  };
  {
    const int64_t before = Allocated();
    CacheFixture f(options);
    for (int user = 0; user < 100'000; ++user) Fill(f, user, Verdict::kRejected);
    ASSERT_GT(f.cache.Counts().negative_entries, 95'000);
    expect_honest(f, before, "negative entries");
  }
  {
    const int64_t before = Allocated();
    CacheFixture f(options);
    for (int user = 0; user < 100'000; ++user) {
      f.AcceptAs(absl::StrFormat("user.%d@mail.corp.example", user), absl::StrFormat("user.%d", user), "s3cret");
    }
    expect_honest(f, before, "entries with another name each");
  }
  {
    const int64_t before = Allocated();
    CacheFixture f(options);
    for (int user = 0; user < 100'000; ++user) {
      const Username name = f.Name(absl::StrFormat("user.%d", user));
      const Identity identity(
          name.view(), "subject",
          Shared<IdentityDetails>(
              {.groups = {"staff"}, .attributes = {{"mail", absl::StrFormat("user.%d@mail.corp.example", user)}}}));
      f.cache.Fill({.asked = name,
                    .account = {kRealm, name},
                    .digest = NumberedDigest(static_cast<uint64_t>(user)),
                    .verdict = Verdict::kAccepted,
                    .identity = identity,
                    .validated_at = f.clock.Monotonic(),
                    .revision = Revision()},
                   f.policy);
    }
    expect_honest(f, before, "entries with details of their own");
  }
  {
    const int64_t before = Allocated();
    CacheFixture f(options);
    for (int user = 0; user < 5'000; ++user) f.Forget(absl::StrFormat("user.%d", user));
    expect_honest(f, before, "fences");
  }
}

}  // namespace
}  // namespace credcache
