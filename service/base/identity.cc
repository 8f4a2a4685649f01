#include "base/identity.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>

namespace credcache {

// Followed in memory by the username and the subject.
struct Identity::Block {
  Shared<IdentityDetails> details;
  std::atomic<uint32_t> references{1};
  uint16_t username_size;
  uint16_t subject_size;

  char* names() { return reinterpret_cast<char*>(this + 1); }
};

Identity::Identity(absl::string_view username, absl::string_view subject, Shared<IdentityDetails> details) {
  void* memory = ::operator new(sizeof(Block) + username.size() + subject.size());
  block_ = new (memory) Block{.details = std::move(details),
                              .username_size = static_cast<uint16_t>(username.size()),
                              .subject_size = static_cast<uint16_t>(subject.size())};
  std::memcpy(block_->names(), username.data(), username.size());
  std::memcpy(block_->names() + username.size(), subject.data(), subject.size());
}

Identity::Identity(const Identity& other) noexcept : block_(other.block_) {
  if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
}

Identity::~Identity() {
  if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    block_->~Block();
    ::operator delete(block_);
  }
}

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

size_t Identity::BlockSize() const {
  return block_ == nullptr ? 0 : sizeof(Block) + block_->username_size + block_->subject_size;
}

}  // namespace credcache
