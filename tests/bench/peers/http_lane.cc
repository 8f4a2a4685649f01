#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "peers/codec.h"
#include "peers/lane.h"
#include "peers/socket.h"

namespace credcache::peers {
namespace {

class HttpLane final : public Lane {
 public:
  explicit HttpLane(HttpOptions options) : options_(std::move(options)) {}

  absl::Status Open() override { return socket_.Connect(options_.address); }

  void Ask(uint32_t id, const workload::Credentials& credentials) override {
    id_ = id;
    request_.clear();
    AppendHttpRequest(options_.path, "localhost", credentials.username(), credentials.password(), &request_);
  }

  absl::Status Wait(std::vector<Answer>* answers) override {
    if (absl::Status status = socket_.Send(request_); !status.ok()) return status;
    while (true) {
      if (absl::Status status = socket_.Receive(&received_); !status.ok()) {
        return absl::IsOutOfRange(status) ? absl::UnavailableError(status.message()) : status;
      }
      absl::string_view rest = received_;
      const absl::StatusOr<std::optional<int>> code = TakeHttpResponse(&rest);
      if (!code.ok()) return code.status();
      if (!code->has_value()) continue;
      received_.erase(0, received_.size() - rest.size());
      return Take(**code, answers);
    }
  }

 private:
  absl::Status Take(int code, std::vector<Answer>* answers) const {
    const bool accepted = code >= 200 && code < 300;
    if (!accepted && code != 401) return absl::UnavailableError(absl::StrCat("the server answers ", code));
    answers->push_back({id_, accepted});
    return absl::OkStatus();
  }

  const HttpOptions options_;
  Socket socket_;
  uint32_t id_ = 0;
  std::string request_;
  std::string received_;
};

}  // namespace

std::unique_ptr<Lane> NewHttpLane(const HttpOptions& options) { return std::make_unique<HttpLane>(options); }

}  // namespace credcache::peers
