// The methods of AuthService, a file each. Bytes come in and go out (ADR 0003); every error has a reason (status.h).
//
// Each runs on a thread of gRPC's and never blocks it. `parts` and `listener` outlive the call.
#pragma once

#include "grpcpp/grpcpp.h"
#include "rpc/call.h"
#include "rpc/parts.h"

namespace credcache {

using ByteStreamReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

grpc::ServerUnaryReactor* HandleAuthenticate(const RpcParts& parts, const Listener& listener, const UnaryCall& call);
grpc::ServerUnaryReactor* HandleBatchAuthenticate(const RpcParts& parts, const Listener& listener,
                                                  const UnaryCall& call);
grpc::ServerUnaryReactor* HandleInvalidate(const RpcParts& parts, const Listener& listener, const UnaryCall& call);
grpc::ServerUnaryReactor* HandleStats(const RpcParts& parts, const Listener& listener, const UnaryCall& call);
ByteStreamReactor* HandleAuthenticateStream(const RpcParts& parts, const Listener& listener,
                                            grpc::CallbackServerContext* context, CallTimer timer);
// A stream that ends before it begins.
ByteStreamReactor* RefuseStream(const CallTimer& timer, const absl::Status& error);

}  // namespace credcache
