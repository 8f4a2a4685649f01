// The connection to a plug-in.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "backends/remote_options.h"

namespace credcache {

// Connects when it is first used, and by itself again when the connection is lost: 100 ms after the first failure, 5 s
// after many; meanwhile calls fail at once. One connection, which shares nothing with another channel's.
//
// No call on it is ever sent twice.
std::shared_ptr<grpc::Channel> OpenRemoteChannel(const RemoteBackendOptions& options);

// The address as gRPC takes it.
std::string RemoteTarget(absl::string_view address);

}  // namespace credcache
