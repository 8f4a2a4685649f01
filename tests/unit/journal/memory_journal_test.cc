#include "journal/memory_journal.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace credcache {
namespace {

TEST(MemoryJournalTest, AppliesBeforeItAnswersAndPublishesTheRevisionAfterwards) {
  const MemoryJournal* self = nullptr;
  Revision seen_while_applying(99);
  MemoryJournal journal("me", [&](Revision revision, const Invalidation& invalidation) {
    EXPECT_EQ(revision, Revision(1));
    EXPECT_EQ(invalidation.realm, "corp");
    seen_while_applying = self->Applied();
    return 7;
  });
  self = &journal;
  Appended answer;
  journal.Append({.target = Invalidation::Target::kRealm, .realm = "corp"},
                 [&](absl::StatusOr<Appended> appended) { answer = *appended; });
  EXPECT_EQ(seen_while_applying, Revision(0));
  EXPECT_EQ(journal.Applied(), Revision(1));
  EXPECT_EQ(answer.revision, Revision(1));
  EXPECT_EQ(answer.entries_removed, 7);
  EXPECT_EQ(answer.acknowledgements.at(0).replica, "me");
}

TEST(MemoryJournalTest, RevisionsRiseByOneWhoeverAppends) {
  uint64_t last = 0;
  MemoryJournal journal("me", [&](Revision revision, const Invalidation&) {
    EXPECT_EQ(revision.value(), last + 1);
    last = revision.value();
    return 0;
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) journal.Append({}, [](const auto&) {});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(journal.Applied(), Revision(4000));
}

}  // namespace
}  // namespace credcache
