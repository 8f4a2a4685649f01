// A request's message on its way through a handler. Its passwords are wiped when it goes, and the memory that it was
// parsed into is kept for the thread's next one, so that parsing allocates little.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include "google/protobuf/arena.h"
#include "rpc/convert.h"

namespace credcache {

// Of one of the messages that WipePasswords knows. Lives and ends in one handler, on its thread.
template <typename Request>
class KeptRequest {
 public:
  KeptRequest() = default;
  ~KeptRequest() { WipePasswords(message_); }
  KeptRequest(const KeptRequest&) = delete;
  KeptRequest& operator=(const KeptRequest&) = delete;

  Request* get() { return message_; }
  Request& operator*() { return *message_; }
  Request* operator->() { return message_; }

 private:
  // Enough for a message of 16 log-ons; the arena takes more by itself, and gives it back.
  using Block = std::array<char, 16 << 10>;

  // The thread's block, or a new one where another request of the thread has it.
  class BlockHolder {
   public:
    BlockHolder() : block_(Spare() != nullptr ? std::move(Spare()) : std::make_unique<Block>()) {}
    ~BlockHolder() { Spare() = std::move(block_); }
    BlockHolder(const BlockHolder&) = delete;
    BlockHolder& operator=(const BlockHolder&) = delete;

    google::protobuf::ArenaOptions Options() const {
      google::protobuf::ArenaOptions options;
      options.initial_block = block_->data();
      options.initial_block_size = block_->size();
      return options;
    }

   private:
    static std::unique_ptr<Block>& Spare() {
      thread_local std::unique_ptr<Block> spare;
      return spare;
    }
    std::unique_ptr<Block> block_;
  };

  BlockHolder block_;
  google::protobuf::Arena arena_{block_.Options()};
  Request* message_ = google::protobuf::Arena::CreateMessage<Request>(&arena_);
};

}  // namespace credcache
