// The gRPC service of one listener: AuthService, with the identity that the listener gives its callers.
#pragma once

#include <memory>

#include "rpc/parts.h"

namespace grpc {
class Service;
}

namespace credcache {

// `parts` outlives the service, and the service its server. Thread-safe.
std::unique_ptr<grpc::Service> NewAuthService(const RpcParts& parts, Listener listener);

// "credcache.v1.AuthService", as health checks name it.
inline constexpr char kAuthServiceName[] = "credcache.v1.AuthService";

}  // namespace credcache
