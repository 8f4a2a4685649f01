#include "cache/entry_table.h"

#include <new>
#include <utility>

#include "base/prefetch.h"

namespace credcache {
namespace {

// An entry, and its identity with names of a usual length.
constexpr size_t kPrefetched = Identity::kRoom + 80;

}  // namespace

EntryTable::EntryTable(int64_t capacity, std::span<IndexTable::Slot> slots)
    : capacity_(capacity), index_(slots), entries_(capacity) {}

Entry* EntryTable::Find(uint64_t account, const Digest& digest) const {
  // Only the digest decides: the account's hash need not be compared.
  Entry* found = nullptr;
  index_.Find(Low(account), [&](uint32_t first) {
    for (Entry* at = &EntryAt(first); at != nullptr; at = NextOfAccount(*at)) {
      if (at->digest == digest) {
        found = at;
        return true;
      }
    }
    return false;
  });
  return found;
}

void EntryTable::Prefetch(const IndexTable& index, uint64_t account) {
  const uint32_t guess = index.Guess(Low(account));
  if (guess == kNoIndex) return;
  const char* entry = static_cast<const char*>(Identity::RoomOf(guess));
  for (size_t line = 0; line < kPrefetched; line += 64) credcache::Prefetch(entry + line);
}

uint32_t EntryTable::FirstHandleOf(uint64_t account) const {
  return index_.Find(Low(account), [&](uint32_t first) { return EntryAt(first).account == account; });
}

Entry* EntryTable::FirstOf(uint64_t account) const { return EntryOrNull(FirstHandleOf(account)); }

Entry& EntryTable::Insert(uint64_t account, const Digest& digest, Identity identity, Released& released) {
  if (size() >= capacity_) {
    Remove(EntryAt(queue_.ChooseVictim(records_)), released);
    ++evictions_;
  }
  const BlockPool::Handle handle = std::move(identity).IntoPool();
  const uint32_t first = FirstHandleOf(account);
  if (first == kNoIndex) {
    index_.Insert(Low(account), handle);
  } else {
    index_.Replace(Low(account), first, handle);
  }
  auto& fresh = *new (Identity::RoomOf(handle)) Entry();
  fresh.next_of_account = first;
  fresh.place = static_cast<uint32_t>(handles().size());
  fresh.account = account;
  fresh.digest = digest;
  entries_.handles.push_back(handle);
  blocks_size_ += Identity::PooledSize(handle);
  queue_.Push(records_, handle);
  return fresh;
}

void EntryTable::Remove(const Entry& entry, Released& released) {
  const BlockPool::Handle handle = HandleOf(entry);
  const uint32_t first = FirstHandleOf(entry.account);
  if (first != handle) {
    Entry* before = &EntryAt(first);
    while (before->next_of_account != handle) before = NextOfAccount(*before);
    before->next_of_account = entry.next_of_account;
  } else if (entry.next_of_account != kNoIndex) {
    index_.Replace(Low(entry.account), handle, entry.next_of_account);
  } else {
    index_.Erase(Low(entry.account), handle);
  }
  queue_.Remove(records_, handle);
  EntryAt(handles().back()).place = entry.place;
  entries_.handles[entry.place] = handles().back();
  entries_.handles.pop_back();
  blocks_size_ -= Identity::PooledSize(handle);
  released.push_back(Identity::FromPool(handle));
}

void EntryTable::Clear(Entries& entries) {
  entries_.handles.swap(entries.handles);
  index_.Clear();
  queue_ = {};
  blocks_size_ = 0;
}

}  // namespace credcache
