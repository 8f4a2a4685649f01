#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "peers/codec.h"
#include "peers/lane.h"
#include "peers/socket.h"

namespace credcache::peers {
namespace {

class SaslauthdLane final : public Lane {
 public:
  explicit SaslauthdLane(SaslauthdOptions options) : options_(std::move(options)) {}

  // Whether somebody listens; what is opened here serves nobody.
  absl::Status Open() override {
    absl::Status status = socket_.Connect(options_.address);
    socket_.Close();
    return status;
  }

  void Ask(uint32_t id, const workload::Credentials& credentials) override {
    id_ = id;
    request_.clear();
    AppendSaslauthdRequest(credentials.username(), credentials.password(), options_.service, workload::kRealm,
                           &request_);
  }

  absl::Status Wait(std::vector<Answer>* answers) override {
    if (absl::Status status = socket_.Connect(options_.address); !status.ok()) return status;
    if (absl::Status status = socket_.Send(request_); !status.ok()) return status;
    reply_.clear();
    absl::Status status = absl::OkStatus();
    while (status.ok()) status = socket_.Receive(&reply_);
    if (!absl::IsOutOfRange(status)) return status;
    socket_.Close();
    const absl::StatusOr<bool> accepted = ReadSaslauthdReply(reply_);
    if (!accepted.ok()) return accepted.status();
    answers->push_back({id_, *accepted});
    return absl::OkStatus();
  }

 private:
  const SaslauthdOptions options_;
  Socket socket_;
  uint32_t id_ = 0;
  std::string request_;
  std::string reply_;
};

}  // namespace

std::unique_ptr<Lane> NewSaslauthdLane(const SaslauthdOptions& options) {
  return std::make_unique<SaslauthdLane>(options);
}

}  // namespace credcache::peers
