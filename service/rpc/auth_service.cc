#include "rpc/auth_service.h"

#include <string>
#include <utility>

#include "credcache/v1/auth_service.grpc.pb.h"
#include "rpc/calls.h"
#include "rpc/status.h"

namespace credcache {
namespace {

using Stub = v1::AuthService;
// Every method by callbacks, over raw bytes (ADR 0003).
using RawService = Stub::WithRawCallbackMethod_Authenticate<
    Stub::WithRawCallbackMethod_BatchAuthenticate<Stub::WithRawCallbackMethod_AuthenticateStream<
        Stub::WithRawCallbackMethod_Negotiate<Stub::WithRawCallbackMethod_Delegate<
            Stub::WithRawCallbackMethod_Invalidate<Stub::WithRawCallbackMethod_Stats<Stub::Service>>>>>>>;

absl::Status NotBuilt(const char* method) {
  return MakeError(ErrorReason::kNotImplemented, std::string(method) + " is not supported yet");
}

class AuthServiceImpl final : public RawService {
 public:
  AuthServiceImpl(const RpcParts& parts, Listener listener)
      : parts_(parts),
        listener_(std::move(listener)),
        authenticate_(MetricsOf("Authenticate")),
        batch_authenticate_(MetricsOf("BatchAuthenticate")),
        authenticate_stream_(MetricsOf("AuthenticateStream")),
        negotiate_(MetricsOf("Negotiate")),
        delegate_(MetricsOf("Delegate")),
        invalidate_(MetricsOf("Invalidate")),
        stats_(MetricsOf("Stats")) {}

 private:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;

  grpc::ServerUnaryReactor* Authenticate(Context* context, const Bytes* request, Bytes* response) override {
    return HandleAuthenticate(parts_, listener_, {context, request, response, Timer(authenticate_)});
  }
  grpc::ServerUnaryReactor* BatchAuthenticate(Context* context, const Bytes* request, Bytes* response) override {
    return HandleBatchAuthenticate(parts_, listener_, {context, request, response, Timer(batch_authenticate_)});
  }
  ByteStreamReactor* AuthenticateStream(Context* context) override {
    return HandleAuthenticateStream(parts_, listener_, context, Timer(authenticate_stream_));
  }
  ByteStreamReactor* Negotiate(Context*) override { return RefuseStream(Timer(negotiate_), NotBuilt("Negotiate")); }
  grpc::ServerUnaryReactor* Delegate(Context* context, const Bytes* request, Bytes* response) override {
    return FinishNow({context, request, response, Timer(delegate_)}, NotBuilt("Delegate"));
  }
  grpc::ServerUnaryReactor* Invalidate(Context* context, const Bytes* request, Bytes* response) override {
    return HandleInvalidate(parts_, listener_, {context, request, response, Timer(invalidate_)});
  }
  grpc::ServerUnaryReactor* Stats(Context* context, const Bytes* request, Bytes* response) override {
    return HandleStats(parts_, listener_, {context, request, response, Timer(stats_)});
  }

  CallMetrics& MetricsOf(const char* method) const {
    return parts_.metrics.ForMethod(std::string(kAuthServiceName) + "/" + method);
  }
  CallTimer Timer(CallMetrics& metrics) const { return {parts_.clock, metrics}; }

  const RpcParts& parts_;
  const Listener listener_;
  CallMetrics& authenticate_;
  CallMetrics& batch_authenticate_;
  CallMetrics& authenticate_stream_;
  CallMetrics& negotiate_;
  CallMetrics& delegate_;
  CallMetrics& invalidate_;
  CallMetrics& stats_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewAuthService(const RpcParts& parts, Listener listener) {
  return std::make_unique<AuthServiceImpl>(parts, std::move(listener));
}

}  // namespace credcache
