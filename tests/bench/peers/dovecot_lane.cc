#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "peers/codec.h"
#include "peers/lane.h"
#include "peers/socket.h"

namespace credcache::peers {
namespace {

absl::Status Gone(const absl::Status& status) {
  return absl::IsOutOfRange(status) ? absl::UnavailableError(status.message()) : status;
}

class DovecotLane final : public Lane {
 public:
  explicit DovecotLane(DovecotOptions options) : options_(std::move(options)) {}

  absl::Status Open() override {
    if (absl::Status status = socket_.Connect(options_.address); !status.ok()) return status;
    std::string hello;
    AppendDovecotHandshake(options_.client_id, &hello);
    if (absl::Status status = socket_.Send(hello); !status.ok()) return status;
    for (bool done = false; !done;) {
      if (absl::Status status = socket_.Receive(&received_); !status.ok()) return Gone(status);
      absl::Status status =
          ReadLines([&done](const DovecotReply& reply) { done |= reply.kind == DovecotReply::Kind::kDone; });
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  void Ask(uint32_t id, const workload::Credentials& credentials) override {
    // An id of zero is none.
    AppendDovecotRequest(id + 1, options_.service, credentials.username(), credentials.password(), &unsent_);
  }

  absl::Status Wait(std::vector<Answer>* answers) override {
    if (absl::Status status = socket_.Send(unsent_); !status.ok()) return status;
    unsent_.clear();
    for (const size_t before = answers->size(); answers->size() == before;) {
      if (absl::Status status = socket_.Receive(&received_); !status.ok()) return Gone(status);
      absl::Status status = ReadLines([answers](const DovecotReply& reply) {
        const bool ok = reply.kind == DovecotReply::Kind::kOk;
        if (ok || reply.kind == DovecotReply::Kind::kFail) answers->push_back({reply.id - 1, ok});
      });
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  uint32_t depth() const override { return options_.depth; }

 private:
  template <typename Take>
  absl::Status ReadLines(const Take& take) {
    absl::string_view rest = received_;
    while (const std::optional<absl::string_view> line = TakeLine(&rest)) {
      const absl::StatusOr<DovecotReply> reply = ReadDovecotLine(*line);
      if (!reply.ok()) return reply.status();
      take(*reply);
    }
    received_.erase(0, received_.size() - rest.size());
    return absl::OkStatus();
  }

  const DovecotOptions options_;
  Socket socket_;
  std::string unsent_;
  std::string received_;
};

}  // namespace

std::unique_ptr<Lane> NewDovecotLane(const DovecotOptions& options) { return std::make_unique<DovecotLane>(options); }

}  // namespace credcache::peers
