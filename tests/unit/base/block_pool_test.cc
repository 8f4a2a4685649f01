#include "base/block_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace credcache {
namespace {

TEST(BlockPoolTest, GivesBlocksThatDoNotOverlap) {
  BlockPool& pool = BlockPool::Global();
  std::vector<std::pair<char*, size_t>> blocks;
  for (size_t size = 1; size <= BlockPool::kMaxSize; size += 7) {
    auto* block = static_cast<char*>(pool.Allocate(size));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % BlockPool::kUnit, 0u);
    std::memset(block, static_cast<int>(size % 251), size);
    blocks.emplace_back(block, size);
  }
  for (const auto& [block, size] : blocks) {
    for (size_t i = 0; i < size; ++i) ASSERT_EQ(static_cast<uint8_t>(block[i]), size % 251) << "of " << size;
    pool.Free(block, size);
  }
}

TEST(BlockPoolTest, AHandleLeadsBackToItsBlock) {
  BlockPool& pool = BlockPool::Global();
  void* block = pool.Allocate(160);
  EXPECT_EQ(pool.Address(pool.HandleOf(block)), block);
  pool.Free(block, 160);
}

TEST(BlockPoolTest, UsesAgainWhatWasFreed) {
  BlockPool& pool = BlockPool::Global();
  const int64_t before = pool.in_use();
  void* block = pool.Allocate(100);
  EXPECT_EQ(pool.in_use(), before + 112);
  pool.Free(block, 100);
  EXPECT_EQ(pool.in_use(), before);
  // Of the same size in the pool, if not as asked.
  void* again = pool.Allocate(111);
  EXPECT_EQ(again, block);
  pool.Free(again, 111);
}

TEST(BlockPoolTest, GivesNoBlockToTwoThreads) {
  BlockPool& pool = BlockPool::Global();
  constexpr int kBlocks = 20'000;
  std::vector<std::vector<void*>> taken(4);
  std::vector<std::thread> threads;
  for (auto& mine : taken) {
    threads.emplace_back([&mine, &pool] {
      for (int i = 0; i < kBlocks; ++i) {
        mine.push_back(pool.Allocate(48));
        if (i % 3 == 0) {
          pool.Free(mine.back(), 48);
          mine.pop_back();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<void*> different;
  size_t all = 0;
  for (const auto& mine : taken) {
    different.insert(mine.begin(), mine.end());
    all += mine.size();
  }
  EXPECT_EQ(different.size(), all);
  for (const auto& mine : taken) {
    for (void* block : mine) pool.Free(block, 48);
  }
}

}  // namespace
}  // namespace credcache
