// Who a user is, as the directory said at validation: what the old server called the user's token.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/block_pool.h"
#include "base/shared.h"

namespace credcache {

// The parts of an identity that many users have in common: equal ones are shared by the cache (IdentityPool).
struct IdentityDetails {
  std::vector<std::string> groups;
  std::vector<std::pair<std::string, std::string>> attributes;  // sorted by name

  friend bool operator==(const IdentityDetails&, const IdentityDetails&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const IdentityDetails& details) {
    return H::combine(std::move(h), details.groups, details.attributes);
  }
};

// A handle to an immutable identity; copies share it, and cost an atomic increment. One block of memory holds the
// names, so that a million of them fit the design's 192 bytes an entry. Thread-safe as int is: different handles may be
// used at once.
class Identity {
 public:
  // Nobody.
  Identity() = default;
  // `subject` is the directory's stable id, `username` the canonical name. Sizes: limits.h.
  Identity(absl::string_view username, absl::string_view subject, Shared<IdentityDetails> details = {});
  // The same in a block of the pool, behind kRoom bytes for whoever keeps it: so the cache's entry and the identity it
  // answers with come from memory together.
  static Identity InPool(absl::string_view username, absl::string_view subject, Shared<IdentityDetails> details);
  Identity(const Identity& other) noexcept;
  Identity(Identity&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Identity& operator=(Identity other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Identity();

  bool empty() const { return block_ == nullptr; }
  absl::string_view username() const;
  absl::string_view subject() const;
  const IdentityDetails& details() const;
  const Shared<IdentityDetails>& shared_details() const;
  // Whether both handles share one block.
  bool SameBlock(const Identity& other) const { return block_ == other.block_; }

  // Of identities in the pool.
  static constexpr size_t kRoom = 80;
  // The block by its number in the pool. Who has only that shares the block all the same: it ends with FromPool.
  BlockPool::Handle IntoPool() &&;
  static Identity FromPool(BlockPool::Handle block);
  // One more handle to a block that somebody else keeps.
  static Identity SharePooled(BlockPool::Handle block);
  static void* RoomOf(BlockPool::Handle block) { return BlockPool::Global().Address(block); }
  // Bytes that the block takes, the details aside.
  static size_t PooledSize(BlockPool::Handle block);

 private:
  struct Block;
  explicit Identity(Block* block) : block_(block) {}
  static Block* BlockAt(BlockPool::Handle block);

  Block* block_ = nullptr;
};

}  // namespace credcache
