#include "rpc/health.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "rpc/auth_service.h"

namespace credcache {
namespace {

using Request = grpc::health::v1::HealthCheckRequest;
using Response = grpc::health::v1::HealthCheckResponse;
using Health = grpc::health::v1::Health;

bool IsKnown(const std::string& service) { return service.empty() || service == kAuthServiceName; }

// A Watch: says how things are, and at a drain how they are then, and ends. Lives until gRPC has let go of it and its
// service has forgotten it.
class Watcher final : public grpc::ServerWriteReactor<Response>, public std::enable_shared_from_this<Watcher> {
 public:
  // `forget` is called when the stream is over.
  explicit Watcher(absl::AnyInvocable<void(const std::shared_ptr<Watcher>&)> forget) : forget_(std::move(forget)) {}

  void Start(Response::ServingStatus status) {
    absl::MutexLock lock(&mutex_);
    self_ = shared_from_this();
    Write(status);
  }
  void EndWith(Response::ServingStatus status) {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
    last_ = status;
    if (!writing_) Advance();
  }

 private:
  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) return;  // OnCancel comes, or has come
    if (ending_) Advance();
  }
  void OnCancel() override {
    absl::MutexLock lock(&mutex_);
    End();
  }
  void OnDone() override {
    forget_(self_);
    const std::shared_ptr<Watcher> self = std::move(self_);
  }

  // The last message, then the end.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (response_.status() == last_) {
      End();
    } else {
      Write(last_);
    }
  }
  void Write(Response::ServingStatus status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (ended_) return;
    writing_ = true;
    response_.set_status(status);
    StartWrite(&response_);
  }
  void End() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (std::exchange(ended_, true)) return;
    Finish(grpc::Status::OK);
  }

  absl::AnyInvocable<void(const std::shared_ptr<Watcher>&)> forget_;
  std::shared_ptr<Watcher> self_;  // gRPC's share
  absl::Mutex mutex_;
  Response response_ ABSL_GUARDED_BY(mutex_);
  Response::ServingStatus last_ ABSL_GUARDED_BY(mutex_) = Response::UNKNOWN;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

class HealthServiceImpl final : public HealthService, private Health::CallbackService {
 public:
  grpc::Service* service() override { return this; }

  void BeginDrain() override {
    absl::flat_hash_set<std::shared_ptr<Watcher>> watchers;
    {
      absl::MutexLock lock(&mutex_);
      status_ = Response::NOT_SERVING;
      watchers = watchers_;
    }
    for (const auto& watcher : watchers) watcher->EndWith(Response::NOT_SERVING);
  }

 private:
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const Request* request,
                                  Response* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (IsKnown(request->service())) {
      absl::MutexLock lock(&mutex_);
      response->set_status(status_);
      reactor->Finish(grpc::Status::OK);
    } else {
      reactor->Finish(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such service"));
    }
    return reactor;
  }

  grpc::ServerWriteReactor<Response>* Watch(grpc::CallbackServerContext*, const Request* request) override {
    const auto watcher = std::make_shared<Watcher>([this](const std::shared_ptr<Watcher>& gone) {
      absl::MutexLock lock(&mutex_);
      watchers_.erase(gone);
    });
    const bool known = IsKnown(request->service());
    Response::ServingStatus status = Response::UNKNOWN;
    bool draining = false;
    {
      absl::MutexLock lock(&mutex_);
      watchers_.insert(watcher);
      status = known ? status_ : Response::SERVICE_UNKNOWN;
      draining = status_ != Response::SERVING;
    }
    watcher->Start(status);
    if (draining) watcher->EndWith(status);
    return watcher.get();
  }

  absl::Mutex mutex_;
  Response::ServingStatus status_ ABSL_GUARDED_BY(mutex_) = Response::SERVING;
  absl::flat_hash_set<std::shared_ptr<Watcher>> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<HealthService> NewHealthService() { return std::make_unique<HealthServiceImpl>(); }

}  // namespace credcache
