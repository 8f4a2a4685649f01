// A validator plug-in in this process, on a unix socket, that does what the test says.
#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "credcache/validator/v1/validator.grpc.pb.h"

namespace credcache {

// Thread-safe. Set the handlers before it is asked.
class FakePlugin final : public validator::v1::ValidatorService::Service {
 public:
  using ResolveHandler =
      std::function<grpc::Status(const validator::v1::ResolveRequest&, validator::v1::ResolveResponse*)>;
  using ValidateHandler =
      std::function<grpc::Status(const validator::v1::ValidateRequest&, validator::v1::ValidateResponse*)>;
  using WatchWriter = grpc::ServerWriter<validator::v1::WatchResponse>;
  using WatchHandler = std::function<grpc::Status(grpc::ServerContext*, WatchWriter*)>;

  ResolveHandler on_resolve;  // none: UNIMPLEMENTED
  ValidateHandler on_validate;
  WatchHandler on_watch;    // none: UNIMPLEMENTED
  bool compresses = false;  // the answers of Validate, whether or not it was told that it may

  FakePlugin() {
    std::string name = (std::filesystem::temp_directory_path() / "credcache plug-in %20-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~FakePlugin() override {
    Stop();
    std::filesystem::remove_all(folder_);
  }

  std::string address() const { return "unix:" + folder_ + "/socket"; }

  void Start() {
    grpc::ServerBuilder builder;
    // gRPC's client escapes its target, its server takes the path as it is.
    builder.AddListeningPort("unix:" + Escaped(folder_) + "/socket", grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    builder.SetMaxSendMessageSize(-1);
    server_ = builder.BuildAndStart();
  }
  // Ends all calls; handlers see that they are cancelled.
  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_ = nullptr;
  }

  // What was asked so far.
  std::vector<validator::v1::ValidateRequest> validated() const {
    const absl::MutexLock lock(&mutex_);
    return validated_;
  }
  size_t resolved() const {
    const absl::MutexLock lock(&mutex_);
    return resolved_;
  }
  void WaitForValidates(size_t count) {
    const absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return validated_.size() >= count; };
    mutex_.Await(absl::Condition(&enough));
  }

 private:
  static std::string Escaped(const std::string& path) {
    std::string escaped;
    for (const char c : path) {
      if (c == '%') {
        escaped += "%25";
      } else if (c == ' ') {
        escaped += "%20";
      } else {
        escaped += c;
      }
    }
    return escaped;
  }

  grpc::Status Resolve(grpc::ServerContext* /*context*/, const validator::v1::ResolveRequest* request,
                       validator::v1::ResolveResponse* response) override {
    {
      const absl::MutexLock lock(&mutex_);
      ++resolved_;
    }
    return on_resolve ? on_resolve(*request, response) : grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  }
  grpc::Status Validate(grpc::ServerContext* context, const validator::v1::ValidateRequest* request,
                        validator::v1::ValidateResponse* response) override {
    {
      const absl::MutexLock lock(&mutex_);
      validated_.push_back(*request);
    }
    if (compresses) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    return on_validate(*request, response);
  }
  grpc::Status Watch(grpc::ServerContext* context, const validator::v1::WatchRequest* /*request*/,
                     WatchWriter* writer) override {
    return on_watch ? on_watch(context, writer) : grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  }

  std::string folder_;
  std::unique_ptr<grpc::Server> server_;
  mutable absl::Mutex mutex_;
  std::vector<validator::v1::ValidateRequest> validated_ ABSL_GUARDED_BY(mutex_);
  size_t resolved_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace credcache
