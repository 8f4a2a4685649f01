// A credcache service on a loopback port that answers what the test says and remembers what it was asked.
#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "credcache/v1/auth_service.grpc.pb.h"

namespace credcache::cli {

class FakeService final : public v1::AuthService::Service {
 public:
  grpc::Status Authenticate(grpc::ServerContext* context, const v1::AuthenticateRequest* request,
                            v1::AuthenticateResponse* response) override {
    const absl::MutexLock lock(&mutex_);
    const auto token = context->client_metadata().find("authorization");
    token_ = token == context->client_metadata().end() ? "" : std::string(token->second.data(), token->second.size());
    authenticate_request_ = *request;
    *response = authenticate_;
    return status_;
  }

  grpc::Status Invalidate(grpc::ServerContext* /*context*/, const v1::InvalidateRequest* request,
                          v1::InvalidateResponse* response) override {
    const absl::MutexLock lock(&mutex_);
    invalidate_request_ = *request;
    *response = invalidate_;
    return status_;
  }

  grpc::Status Stats(grpc::ServerContext* /*context*/, const v1::StatsRequest* request,
                     v1::StatsResponse* response) override {
    const absl::MutexLock lock(&mutex_);
    stats_request_ = *request;
    // Each call finds ten hits more.
    stats_.mutable_cache()->set_hits(stats_.cache().hits() + 10);
    *response = stats_;
    return status_;
  }

  void Answer(const v1::AuthenticateResponse& response) {
    const absl::MutexLock lock(&mutex_);
    authenticate_ = response;
  }
  void Answer(const v1::InvalidateResponse& response) {
    const absl::MutexLock lock(&mutex_);
    invalidate_ = response;
  }
  void Answer(const v1::StatsResponse& response) {
    const absl::MutexLock lock(&mutex_);
    stats_ = response;
  }
  void Fail(const grpc::Status& status) {
    const absl::MutexLock lock(&mutex_);
    status_ = status;
  }

  v1::AuthenticateRequest authenticate_request() const {
    const absl::MutexLock lock(&mutex_);
    return authenticate_request_;
  }
  v1::InvalidateRequest invalidate_request() const {
    const absl::MutexLock lock(&mutex_);
    return invalidate_request_;
  }
  v1::StatsRequest stats_request() const {
    const absl::MutexLock lock(&mutex_);
    return stats_request_;
  }
  std::string token() const {
    const absl::MutexLock lock(&mutex_);
    return token_;
  }

 private:
  mutable absl::Mutex mutex_;
  v1::AuthenticateResponse authenticate_ ABSL_GUARDED_BY(mutex_);
  v1::InvalidateResponse invalidate_ ABSL_GUARDED_BY(mutex_);
  v1::StatsResponse stats_ ABSL_GUARDED_BY(mutex_);
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  v1::AuthenticateRequest authenticate_request_ ABSL_GUARDED_BY(mutex_);
  v1::InvalidateRequest invalidate_request_ ABSL_GUARDED_BY(mutex_);
  v1::StatsRequest stats_request_ ABSL_GUARDED_BY(mutex_);
  std::string token_ ABSL_GUARDED_BY(mutex_);
};

// The service, and gRPC's own health service, on a port that the system chose; `also` is a further address.
class FakeServer {
 public:
  explicit FakeServer(std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials(),
                      const std::string& also = "") {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    if (!also.empty()) builder.AddListeningPort(also, credentials);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~FakeServer() { Stop(); }

  void Stop() { server_->Shutdown(std::chrono::system_clock::now()); }
  FakeService& service() { return service_; }
  grpc::Server& server() { return *server_; }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  int port_ = 0;
  FakeService service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace credcache::cli
