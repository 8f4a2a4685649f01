// grpc.health.v1 (https://github.com/grpc/grpc/blob/master/doc/health-checking.md) for the server as a whole ("") and
// for AuthService. gRPC's own implementation would keep a draining server waiting for as long as anybody watches.
#pragma once

#include <memory>

namespace grpc {
class Service;
}

namespace credcache {

// Thread-safe. One a gRPC server, and alive for longer.
class HealthService {
 public:
  virtual ~HealthService() = default;
  virtual grpc::Service* service() = 0;
  // Check answers NOT_SERVING from now on; whoever watches is told so, and its stream ends. Once.
  virtual void BeginDrain() = 0;
};

std::unique_ptr<HealthService> NewHealthService();

}  // namespace credcache
