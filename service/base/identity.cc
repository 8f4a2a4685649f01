#include "base/identity.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <new>

#include "base/limits.h"

namespace credcache {

// Followed in memory by the username and the subject.
struct Identity::Block {
  Shared<IdentityDetails> details;
  std::atomic<uint32_t> references{1};
  uint16_t username_size;
  uint16_t subject_size : 15;
  uint16_t pooled : 1;  // behind kRoom bytes, in the BlockPool

  static Block* Make(void* memory, absl::string_view username, absl::string_view subject,
                     Shared<IdentityDetails> details, bool pooled) {
    auto* block = new (memory) Block{.details = std::move(details),
                                     .username_size = static_cast<uint16_t>(username.size()),
                                     .subject_size = static_cast<uint16_t>(subject.size()),
                                     .pooled = pooled};
    std::copy(subject.begin(), subject.end(), std::copy(username.begin(), username.end(), block->names()));
    return block;
  }
  void Destroy() {
    const size_t size = PooledSize();
    const bool in_pool = pooled;
    this->~Block();
    if (in_pool) {
      BlockPool::Global().Free(reinterpret_cast<char*>(this) - kRoom, size);
    } else {
      ::operator delete(this);
    }
  }
  char* names() { return reinterpret_cast<char*>(this + 1); }
  size_t PooledSize() const { return kRoom + sizeof(Block) + username_size + subject_size; }
};
static_assert(Identity::kRoom % alignof(void*) == 0);

Identity::Identity(absl::string_view username, absl::string_view subject, Shared<IdentityDetails> details)
    : block_(Block::Make(::operator new(sizeof(Block) + username.size() + subject.size()), username, subject,
                         std::move(details), /*pooled=*/false)) {}

Identity Identity::InPool(absl::string_view username, absl::string_view subject, Shared<IdentityDetails> details) {
  static_assert(kRoom + sizeof(Block) + kMaxUsernameSize + kMaxSubjectSize <= BlockPool::kMaxSize);
  char* memory =
      static_cast<char*>(BlockPool::Global().Allocate(kRoom + sizeof(Block) + username.size() + subject.size()));
  return Identity(Block::Make(memory + kRoom, username, subject, std::move(details), /*pooled=*/true));
}

Identity::Identity(const Identity& other) noexcept : block_(other.block_) {
  if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
}

Identity::~Identity() {
  if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) block_->Destroy();
}

BlockPool::Handle Identity::IntoPool() && {
  return BlockPool::Global().HandleOf(reinterpret_cast<char*>(std::exchange(block_, nullptr)) - kRoom);
}

Identity::Block* Identity::BlockAt(BlockPool::Handle block) {
  return reinterpret_cast<Block*>(static_cast<char*>(RoomOf(block)) + kRoom);
}

Identity Identity::FromPool(BlockPool::Handle block) { return Identity(BlockAt(block)); }

Identity Identity::SharePooled(BlockPool::Handle block) {
  Block* shared = BlockAt(block);
  shared->references.fetch_add(1, std::memory_order_relaxed);
  return Identity(shared);
}

size_t Identity::PooledSize(BlockPool::Handle block) { return BlockPool::BlockSize(BlockAt(block)->PooledSize()); }

absl::string_view Identity::username() const {
  return block_ == nullptr ? absl::string_view() : absl::string_view(block_->names(), block_->username_size);
}

absl::string_view Identity::subject() const {
  return block_ == nullptr ? absl::string_view()
                           : absl::string_view(block_->names() + block_->username_size, block_->subject_size);
}

const IdentityDetails& Identity::details() const {
  static const auto& kNone = *new IdentityDetails();
  return block_ == nullptr || !block_->details ? kNone : *block_->details;
}

const Shared<IdentityDetails>& Identity::shared_details() const {
  static const auto& kNone = *new Shared<IdentityDetails>();
  return block_ == nullptr ? kNone : block_->details;
}

}  // namespace credcache
