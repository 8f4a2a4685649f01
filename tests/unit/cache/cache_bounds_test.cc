// How much is kept, who goes, and what is counted.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cache/cache.h"
#include "cache/cache_fixture.h"
#include "cache/identity_pool.h"
#include "cache/index_table.h"
#include "cache/sieve_queue.h"
#include "cache/slab.h"

namespace credcache {
namespace {

using Kind = Finding::Kind;
using Verdict = FillRequest::Verdict;

TEST(CacheBoundsTest, NeverHoldsMoreThanItMay) {
  for (const auto& options :
       {CacheOptions{.buckets = 1, .max_entries = 1}, CacheOptions{.buckets = 256, .max_entries = 100},
        CacheOptions{.buckets = 7, .max_entries = 100}, CacheOptions{.buckets = 3, .max_entries = 1000}}) {
    CacheFixture f(options);
    EXPECT_LE(f.cache.buckets(), options.buckets);
    EXPECT_EQ(f.cache.max_entries(), options.max_entries);
    for (int i = 0; i < 3000; ++i) {
      ASSERT_EQ(f.Accept(absl::StrCat("user", i), "s3cret"), FillOutcome::kFilled);
      ASSERT_EQ(f.KindOf(absl::StrCat("user", i), "s3cret"), Kind::kAccepted);
      f.Reject(absl::StrCat("user", i), "guess");
      const CacheCounts counts = f.cache.Counts();
      ASSERT_LE(counts.entries + counts.negative_entries, options.max_entries);
      ASSERT_LE(counts.negative_entries, options.max_entries / 8);
    }
    const CacheCounts counts = f.cache.Counts();
    EXPECT_EQ(counts.entries + counts.negative_entries, options.max_entries) << "and uses what it may";
    EXPECT_EQ(counts.negative_entries, options.max_entries / 8);
    EXPECT_GE(counts.evictions, 3000 - options.max_entries);
  }
}

TEST(CacheBoundsTest, ASprayOfMadeUpNamesEvictsNoRealUser) {
  CacheFixture f({.buckets = 4, .max_entries = 800});
  for (int i = 0; i < 400; ++i) f.Accept(absl::StrCat("user", i), "s3cret");
  for (int i = 0; i < 20'000; ++i) f.Reject(absl::StrCat("made.up", i), "guess");
  for (int i = 0; i < 400; ++i) EXPECT_EQ(f.KindOf(absl::StrCat("user", i), "s3cret"), Kind::kAccepted);
  EXPECT_EQ(f.cache.Counts().negative_entries, 100);
}

TEST(CacheBoundsTest, SparesWhoIsUsed) {
  CacheFixture f({.buckets = 1, .max_entries = 100});
  for (int i = 0; i < 50; ++i) {
    f.Accept(absl::StrCat("daily", i), "s3cret");
    f.Find(absl::StrCat("daily", i), "s3cret");
  }
  // The hand comes round once in some 38 evictions, and each of them is used once in 25.
  for (int i = 0; i < 5000; ++i) {
    f.Accept(absl::StrCat("once", i), "s3cret");
    f.Find(absl::StrCat("daily", i % 25), "s3cret");
    f.Find(absl::StrCat("daily", 25 + i % 25), "s3cret");
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(f.KindOf(absl::StrCat("daily", i), "s3cret"), Kind::kAccepted) << i;
}

TEST(CacheBoundsTest, SpreadsAccountsEvenly) {
  CacheFixture f({.buckets = 10, .max_entries = 1'000'000});
  for (int i = 0; i < 10'000; ++i) f.Accept(absl::StrCat("user", i), "s3cret");
  for (int i = 0; i < 10; ++i) {
    EXPECT_GT(f.cache.BucketCounts(i).entries, 800);
    EXPECT_LT(f.cache.BucketCounts(i).entries, 1200);
  }
}

TEST(CacheBoundsTest, CountsByBucketAndByRealm) {
  CacheFixture f;
  for (int i = 0; i < 30; ++i) f.Accept(absl::StrCat("user", i), "s3cret");
  for (int i = 0; i < 20; ++i) f.Reject(absl::StrCat("user", i), "guess");
  auto elsewhere = f.Begin("alice", "s3cret");
  elsewhere.realm = RealmId{2};
  f.End(elsewhere, Verdict::kAccepted);
  const CacheCounts all = f.cache.Counts();
  EXPECT_EQ(all.entries, 31);
  EXPECT_EQ(all.negative_entries, 20);
  CacheCounts sum;
  for (int i = 0; i < f.cache.buckets(); ++i) {
    sum.entries += f.cache.BucketCounts(i).entries;
    sum.negative_entries += f.cache.BucketCounts(i).negative_entries;
  }
  EXPECT_EQ(sum.entries, 31);
  EXPECT_EQ(sum.negative_entries, 20);
  const std::vector<CacheCounts> realms = f.cache.RealmCounts();
  ASSERT_EQ(realms.size(), 3u);
  EXPECT_EQ(realms[1].entries, 30);
  EXPECT_EQ(realms[1].negative_entries, 20);
  EXPECT_EQ(realms[2].entries, 1);
}

TEST(IdentityPoolTest, SharesEqualDetailsAndLetsThemGo) {
  IdentityPool pool;
  const auto make = [](absl::string_view name, std::string group) {
    return Identity(name, "subject", Shared<IdentityDetails>({.groups = {"staff", std::move(group)}}));
  };
  const size_t empty = pool.heap_size();
  {
    const Identity alice = pool.Intern(make("alice", "a group with a long name"));
    const Identity bob = pool.Intern(make("bob", "a group with a long name"));
    const Identity carol = pool.Intern(make("carol", "another group"));
    EXPECT_EQ(alice.shared_details().get(), bob.shared_details().get());
    EXPECT_NE(alice.shared_details().get(), carol.shared_details().get());
    EXPECT_EQ(bob.username(), "bob");
    EXPECT_EQ(bob.subject(), "subject");
    EXPECT_EQ(carol.details().groups[1], "another group");
    pool.Sweep();
    EXPECT_EQ(pool.Intern(make("dave", "another group")).shared_details().get(), carol.shared_details().get());
  }
  const size_t full = pool.heap_size();
  pool.Sweep();
  EXPECT_LT(pool.heap_size(), full);
  EXPECT_LE(pool.heap_size() - empty, 128u) << "no more than the empty table";
}

TEST(IdentityPoolTest, StaysInProportionWithoutBeingSwept) {
  IdentityPool pool;
  for (int i = 0; i < 100'000; ++i) {
    pool.Intern(Identity("user", "subject", Shared<IdentityDetails>({.groups = {absl::StrCat("group ", i)}})));
  }
  EXPECT_LT(pool.heap_size(), 1'000'000u);
}

TEST(IdentityPoolTest, PlainIdentitiesHaveNoDetails) {
  IdentityPool pool;
  EXPECT_EQ(
      pool.Intern(Identity("alice", "subject", Shared<IdentityDetails>(IdentityDetails()))).shared_details().get(),
      nullptr);
  EXPECT_EQ(pool.Intern(Identity()).username(), "");
}

TEST(IndexTableTest, AgreesWithAMapUnderRandomInsertionsAndRemovals) {
  std::mt19937 random(1);
  std::vector<IndexTable::Slot> slots(IndexTable::SlotsFor(500));
  IndexTable table(slots);
  std::map<uint32_t, uint32_t> tag_of_index;
  for (int i = 0; i < 200'000; ++i) {
    const uint32_t index = random() % 500;
    // Few tags, near each other and at the table's end: long runs, equal tags and wrapping.
    const uint32_t tag = random() % 40 - 20;
    const auto known = tag_of_index.find(index);
    if (known == tag_of_index.end()) {
      table.Insert(tag, index);
      tag_of_index[index] = tag;
    } else if (random() % 4 == 0) {
      const uint32_t to = 1000 + index;
      table.Replace(known->second, index, to);
      table.Replace(known->second, to, index);
    } else {
      table.Erase(known->second, index);
      tag_of_index.erase(known);
    }
    const uint32_t probe = random() % 500;
    const auto expected = tag_of_index.find(probe);
    const uint32_t probe_tag = expected == tag_of_index.end() ? tag : expected->second;
    ASSERT_EQ(table.Find(probe_tag, [&](uint32_t found) { return found == probe; }),
              expected == tag_of_index.end() ? kNoIndex : probe);
  }
}

struct SieveHot {
  char name = 0;
  bool visited = false;
  bool used = false;
};

// The worked example of the paper (figure 1 there): requests to a full queue, the newest first.
TEST(SieveQueueTest, SparesTheVisitedOnceAndGoesOnWhereItStopped) {
  Slab<SieveHot, SieveLinks> slab;
  SieveQueue<Slab<SieveHot, SieveLinks>> queue;
  std::map<char, uint32_t> index_of;
  const auto insert = [&](char name) {
    const uint32_t index = slab.Allocate();
    slab.hot(index).name = name;
    queue.Push(slab, index);
    index_of[name] = index;
  };
  const auto evict = [&] {
    const uint32_t victim = queue.ChooseVictim(slab);
    const char name = slab.hot(victim).name;
    queue.Remove(slab, victim);
    slab.Free(victim);
    index_of.erase(name);
    return name;
  };
  for (const char name : {'A', 'B', 'C', 'D', 'E', 'F', 'G'}) insert(name);
  for (const char name : {'A', 'B', 'G'}) slab.hot(index_of[name]).visited = true;
  EXPECT_EQ(evict(), 'C');
  insert('H');
  slab.hot(index_of['D']).visited = true;
  EXPECT_EQ(evict(), 'E') << "A and B are not asked again yet";
  insert('I');
  EXPECT_EQ(evict(), 'F');
  queue.Remove(slab, index_of['G']);
  EXPECT_EQ(evict(), 'H') << "the hand stood at G, which went";
  EXPECT_EQ(evict(), 'I');
  EXPECT_EQ(evict(), 'A') << "from the newest on to the oldest";
  EXPECT_EQ(evict(), 'B');
  EXPECT_EQ(evict(), 'D');
}

}  // namespace
}  // namespace credcache
